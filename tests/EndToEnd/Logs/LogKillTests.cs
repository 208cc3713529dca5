using System.Globalization;
using Grains.Logs;
using Grains.Logs.Batching;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// What an acknowledgement is worth when the silo is killed with <c>kill -9</c> under load, at random and at named points: acknowledged and missing 0, stored twice 0, altered 0,
/// counted against a ledger that is kept outside. A longer campaign: set <c>LOG_KILLS</c> to the rounds of the random part (20 without it, at most 2,000).
/// </summary>
public sealed class LogKillTests : IDisposable
{
    private const int Senders = 6;
    private const int RecordsPerRequest = 7;
    private const int Shards = 1;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Small segments and many: there is something to merge after a second.</summary>
    private static readonly string[] Settings =
        ["--Logs:Shards", $"{Shards}", "--Logs:Linger", "00:00:00.005", "--Logs:OtlpHttpPort", "0", "--Limits:PerKey", "100000", "--Limits:InAll", "100000"];

    private readonly SiloPlace _place = new();
    private readonly LogSender _sender;
    private SiloProcess? _silo;

    public LogKillTests() => _sender = new(_place.Http, RecordsPerRequest);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _sender.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task KilledAtRandomAgainAndAgain()
    {
        var rounds = Math.Clamp(int.Parse(Environment.GetEnvironmentVariable("LOG_KILLS") ?? "20", CultureInfo.InvariantCulture), 1, 2000);
        var random = new Random(20261123);
        await Campaign(async () =>
        {
            for (var round = 0; round < rounds; round++)
            {
                await Start();
                // From the first records after it came up to the middle of its work, so that it dies while it opens, writes, merges and folds.
                await Seen(_sender.WhenAcknowledged(_sender.Acknowledged.Count + random.Next(1, 60 * RecordsPerRequest)), "acknowledgements");
                await _silo!.Kill9();
            }
        });
    }

    [Theory]
    [InlineData(LogsTracing.Decode, "stop", 30)]
    [InlineData(LogsTracing.Put, "start", 20)]
    [InlineData(LogsTracing.Put, "stop", 20)]
    [InlineData(LogsTracing.Commit, "start", 20)]
    [InlineData(LogsTracing.Commit, "stop", 20)]
    [InlineData(LogsTracing.MergePut, "start", 1)]
    [InlineData(LogsTracing.MergePut, "stop", 1)]
    [InlineData(LogsTracing.MergeCommit, "start", 1)]
    [InlineData(LogsTracing.MergeCommit, "stop", 2)]
    public async Task KilledAt(string step, string edge, int times) => await Campaign(async () =>
    {
        for (var round = 0; round < 2; round++)
        {
            await Start($"{LogsTracing.Name}/{step}/{edge}/{times}");
            await Seen(_silo!.Exit, $"the silo to die at «{step}», {edge}");
        }
    });

    /// <summary>Load goes on over all kills; afterwards a silo comes up that nobody kills, what was being sent is seen through, and both ledgers are compared.</summary>
    private async Task Campaign(Func<Task> kills)
    {
        using var enough = new CancellationTokenSource();
        var load = _sender.Run(Senders, enough.Token, Cancel);
        try
        {
            await kills();
            await Start();
            await Seen(_sender.WhenAcknowledged(_sender.Acknowledged.Count + (10 * RecordsPerRequest)), "acknowledgements after the last kill");
            await enough.CancelAsync();
            await Seen(load, "the senders to end");
            await Compare();
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
            await Seen(_silo.Ready, "the silo to be ready");
        }
    }

    private async Task Compare()
    {
        var stored = await StoredRecords.Of(_place, Shards, Patience, Cancel);
        var bodies = stored.Records.Select(record => record.Body).ToList();
        var once = bodies.ToHashSet(StringComparer.Ordinal);

        Assert.Empty(_sender.Acknowledged.Except(once));
        Assert.Equal(bodies.Count, once.Count);
        Assert.Empty(once.Except(_sender.Sent));
        Assert.All(stored.Records, record => Assert.Equal($$"""{"digest":"{{LogSender.Digest(record.Body)}}"}""", record.Attributes));
        var total = stored.Shards.Select(shard => shard.Total).Aggregate(Tally.Sum);
        Assert.True(total.Balances, total.ToString());
        Assert.Equal(bodies.Count, total.Stored);
        Assert.Equal(0, stored.Shards.Sum(shard => shard.WaitingRecords));
        TestContext.Current.SendDiagnosticMessage($"{bodies.Count} records stored, {_sender.Repeats} requests repeated, {total.Repeated} records recognised as repeats, {stored.Segments.Count} segments.");
    }

    private static async Task Seen(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience, Cancel);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{Patience} went by while the test waited for {what}.");
        }
    }
}
