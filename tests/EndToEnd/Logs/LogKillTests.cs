using Grains.Logs.Batching;
using Grains.Logs.Segments;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// What an acknowledgement is worth when the silo is killed with <c>kill -9</c> under load, at random and at named points: acknowledged and
/// missing 0, stored twice 0, altered 0,
/// counted against a ledger that is kept outside. A longer campaign: set <c>LOG_KILLS</c> to the rounds of the random part (3 without it,
/// at most 2,000); each point is met once, and twice with it, one after the other on the same data.
/// </summary>
[Trait(Campaign.Kind, Campaign.Name)]
public sealed class LogKillTests : IDisposable
{
    private const int Senders = 6;
    private const int RecordsPerRequest = 7;
    private const int Shards = 1;
    private const string Switch = "LOG_KILLS";

    /// <summary>Small segments and many: there is something to merge after a second.</summary>
    private static readonly string[] Settings =
    [
        "--Logs:Shards",
        $"{Shards}",
        "--Logs:Linger",
        "00:00:00.005",
        "--Logs:OtlpHttpPort",
        "0",
        "--Limits:PerKey",
        "100000",
        "--Limits:InAll",
        "100000",
    ];

    private readonly SiloPlace _place = new();
    private readonly LogSender _sender;
    private SiloProcess? _silo;

    public LogKillTests() => _sender = new(RecordsPerRequest, _place.Http);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _sender.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task KilledAtRandomAgainAndAgain()
    {
        var rounds = Campaign.Rounds(Switch, most: 2000);
        var random = new Random(20261123);
        var counted = await KilledUnderLoad(async () =>
        {
            for (var round = 0; round < rounds; round++)
            {
                await Start();
                // From the first records after it came up to the middle of its work, so that it dies while it opens, writes, merges and
                // folds.
                await Wait.For(
                    _sender.WhenAcknowledged(_sender.Acknowledged.Count + random.Next(1, 60 * RecordsPerRequest)),
                    "acknowledgements",
                    () => _silo!.AllSaid
                );
                await _silo!.Kill9();
            }
        });
        Campaign.Report(
            "log-kills",
            "Logs: kill -9 under load",
            $"A silo that took log records from {Senders} senders was killed {rounds} times, each time after another number of "
                + $"acknowledgements.",
            counted
        );
    }

    [Fact]
    public async Task KilledAtEachPoint()
    {
        var rounds = Environment.GetEnvironmentVariable(Switch) is null ? 1 : 2;
        (string Step, string Edge, int Times)[] points =
        [
            (LogsTracing.Decode, "stop", 30),
            (LogsTracing.Put, "start", 20),
            (LogsTracing.Put, "stop", 20),
            (LogsTracing.Commit, "start", 20),
            (LogsTracing.Commit, "stop", 20),
            (LogsTracing.MergePut, "start", 1),
            (LogsTracing.MergePut, "stop", 1),
            (LogsTracing.MergeCommit, "start", 1),
            (LogsTracing.MergeCommit, "stop", 2),
        ];
        var counted = await KilledUnderLoad(async () =>
        {
            foreach (var (step, edge, times) in points.SelectMany(point => Enumerable.Repeat(point, rounds)))
            {
                await Start($"{LogsTracing.Name}/{step}/{edge}/{times}");
                await Wait.For(_silo!.Exit, $"the silo to die at '{step}', {edge}", () => _silo.AllSaid);
            }
        });
        Campaign.Report(
            "log-kills-at-points",
            "Logs: killed at named points",
            $"A silo that took log records from {Senders} senders killed itself {rounds} time(s) at each of {points.Length} points: "
                + $"{string.Join(", ", points.Select(point => $"{point.Edge} of '{point.Step}'"))}.",
            counted
        );
    }

    /// <summary>
    /// Load goes on over all kills; afterwards a silo comes up that nobody kills, what was being sent is seen through, and both ledgers are
    /// compared.
    /// </summary>
    /// <returns>What was counted.</returns>
    private async Task<(string What, long Count)[]> KilledUnderLoad(Func<Task> kills)
    {
        using var enough = new CancellationTokenSource();
        var load = _sender.Run(Senders, enough.Token, Cancel);
        try
        {
            await kills();
            await Start();
            await Wait.For(
                _sender.WhenAcknowledged(_sender.Acknowledged.Count + (10 * RecordsPerRequest)),
                "acknowledgements after the last kill",
                () => _silo!.AllSaid
            );
            await enough.CancelAsync();
            await Wait.For(load, "the senders to end");
            return await Compare();
        }
        finally
        {
            await enough.CancelAsync();
            if (_silo is not null)
            {
                await _silo.DisposeAsync();
            }
        }
    }

    private async Task Start(string? faultPoint = null)
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        _silo = faultPoint is null ? SiloProcess.Start(_place, Settings) : SiloProcess.StartKilledAt(_place, faultPoint, Settings);
        if (faultPoint is null)
        {
            await Wait.For(_silo.Ready, "the silo to be ready", () => _silo.AllSaid);
        }
    }

    private async Task<(string What, long Count)[]> Compare()
    {
        var stored = await StoredRecords.Of(_place, Shards, Cancel);
        var bodies = stored.Records.Select(record => record.Body).ToList();
        var once = bodies.ToHashSet(StringComparer.Ordinal);

        var missing = _sender.Acknowledged.Except(once).ToList();
        Assert.Empty(missing);
        Assert.Equal(bodies.Count, once.Count);
        Assert.Empty(once.Except(_sender.Sent));
        var altered = stored.Records.Where(record => record.Attributes != $$"""{"digest":"{{LogSender.Digest(record.Body)}}"}""").ToList();
        Assert.Empty(altered);
        var total = stored.Shards.Select(shard => shard.Total).Aggregate(Tally.Sum);
        Assert.True(total.Balances, total.ToString());
        Assert.Equal(bodies.Count, total.Stored);
        Assert.Equal(0, stored.Shards.Sum(shard => shard.WaitingRecords));
        return
        [
            ("records acknowledged", _sender.Acknowledged.Count),
            ("records stored", bodies.Count),
            ("acknowledged and missing", missing.Count),
            ("stored twice", bodies.Count - once.Count),
            ("altered", altered.Count),
            ("requests sent again", _sender.Repeats),
            ("records recognised as repeats", total.Repeated),
        ];
    }
}
