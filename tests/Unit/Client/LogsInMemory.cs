using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Doubles;
using Grains.Interfaces.Logs;

namespace Unit.Client;

/// <summary>The logs of a cluster without silos: answers what a test put there, and keeps what was asked.</summary>
internal sealed class LogsInMemory : ILogQueryGrain, ILogTailGrain
{
    public List<object> Asked { get; } = [];

    public List<FoundLogs> Found { get; } = [];

    /// <summary>What one watching after the other shows; null ends it as when a silo goes away.</summary>
    public Queue<TailPage?[]> Tails { get; } = new();

    /// <summary>Called when all that there is to watch was taken.</summary>
    public Action OnEnd { get; set; } = () => { };

    public SqlReply? Rows { get; set; }

    public StatsReply? Counted { get; set; }

    public Dictionary<int, ImmutableArray<LogCount>> Ledger { get; } = [];

    public LogSettings Set { get; set; } = new(2, 64 * 1024 * 1024, TimeSpan.FromMilliseconds(150), 2 * 1024 * 1024, 8192);

    public static QueryEnd End(QueryOutcome outcome = QueryOutcome.Whole, string? sentence = null, int segments = 3) =>
        new(outcome, sentence, 0, Math.Min(2, segments), segments, 1234, TimeSpan.FromMilliseconds(56));

    public async IAsyncEnumerable<FoundLogs> Search(SearchLogs ask, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask;
        Asked.Add(ask);
        foreach (var page in Found)
        {
            yield return page;
        }
    }

    public async IAsyncEnumerable<TailPage> Watch(string query, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        Asked.Add(query);
        foreach (var page in Tails.Dequeue())
        {
            yield return page ?? throw new Orleans.Runtime.EnumerationAbortedException("The silo is gone.");
        }

        OnEnd();
        await new Gate().Pass(cancel);
    }

    public Task<SqlReply> Sql(AskSql ask, CancellationToken cancel = default)
    {
        Asked.Add(ask);
        return Task.FromResult(Rows!);
    }

    public Task<StatsReply> Stats(AskStats ask, CancellationToken cancel = default)
    {
        Asked.Add(ask);
        return Task.FromResult(Counted!);
    }

    public Task<LogSettings> Settings(CancellationToken cancel = default) => Task.FromResult(Set);

    /// <summary>Of every shard.</summary>
    public LogShardState State { get; set; } =
        new(new("", 0, 0, 0, 0, 0, ImmutableSortedDictionary<string, long>.Empty), 0, 0, 0, 0, 0, 0, null);

    public ILogBatchGrain Shard(int shard) => new OneShard(Ledger.GetValueOrDefault(shard, []), State);

    private sealed class OneShard(ImmutableArray<LogCount> counts, LogShardState shard) : ILogBatchGrain
    {
        public Task<ImmutableArray<LogCount>> Counts(DateTimeOffset from, DateTimeOffset to, CancellationToken cancel = default) =>
            Task.FromResult(counts);

        public Task<WriteReply> Write(WriteLogs request, CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<ManifestDelta> Manifest(ManifestMark known, CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<LogShardState> Show(CancellationToken cancel = default) => Task.FromResult(shard);

        public Task Tend(CancellationToken cancel = default) => throw new NotSupportedException();

        public Task AnswerLost(LogRequestId id, bool isStored) => throw new NotSupportedException();
    }
}
