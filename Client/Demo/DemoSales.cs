using System.Globalization;
using System.Text;
using System.Text.Json;
using Grains.Interfaces.Logs;

namespace Client.Demo;

/// <summary>What the shop's tills sent to the log, and what the log says that it has.</summary>
/// <param name="Sent">Records that were sent at least once.</param>
/// <param name="Acknowledged">Of these, those that the silo said it has stored.</param>
/// <param name="Again">Requests that were sent again, because nobody had said what became of them.</param>
/// <param name="Stored">Records that a query finds.</param>
/// <param name="Different">Of these, how many are different: as many, if none is there twice.</param>
/// <param name="OfPages">Records that the crawler itself put into the log about pages, and of the silo.</param>
internal sealed record SalesLedger(int Sent, int Acknowledged, int Again, int Stored, int Different, int OfPages);

/// <summary>
/// The bookshop's tills write their sales into the log all the while, through the kill: each request is sent until it is acknowledged, as
/// an exporter does it.
/// </summary>
internal sealed class DemoSales(Session session, string service) : IAsyncDisposable
{
    private const int Together = 25;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _enough = new();
    private Task _sending = Task.CompletedTask;
    private int _sent;
    private int _acknowledged;
    private int _again;

    public void Begin(CancellationToken cancel) => _sending = Send(cancel);

    /// <summary>Sees what is under way through, and asks the log what it has.</summary>
    public async Task<SalesLedger> End(CancellationToken cancel)
    {
        await _enough.CancelAsync();
        await _sending.WaitAsync(cancel);
        var cluster = await session.Cluster(cancel);
        var own = await Count(cluster, $"select count(*), count(distinct body) from logs where service = '{service}'", cancel);
        var pages = await Count(cluster, "select count(*), 0 from logs where service in ('crawls', 'silo')", cancel);
        return new(_sent, _acknowledged, _again, own.First, own.Second, pages.First);
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        _enough.Dispose();
        await session.DisposeAsync();
    }

    private async Task Send(CancellationToken cancel)
    {
        var clock = session.Terminal.Clock;
        var run = BitConverter.ToUInt64(Guid.NewGuid().ToByteArray());
        for (ulong number = 0; !_enough.IsCancellationRequested; number++)
        {
            var lines = new SendLines(
                new(run, number),
                service,
                "till",
                "sales",
                LineFormat.Ndjson,
                "UTC",
                Sales(number, clock.GetUtcNow())
            );
            _sent += Together;
            await SendOnce(lines, cancel);
            _acknowledged += Together;
            await Task.Delay(Pause, clock, cancel);
        }
    }

    private async Task SendOnce(SendLines lines, CancellationToken cancel)
    {
        ICluster? lost = null;
        while (true)
        {
            ICluster? cluster = null;
            try
            {
                cluster = lost is null ? await session.Cluster(cancel) : await session.ReopenUnless(lost, cancel);
                if (
                    (await cluster.LogSend.Send(lines, cancel).WaitAsync(Answer, session.Terminal.Clock, cancel)).Outcome
                    == SendOutcome.Stored
                )
                {
                    return;
                }
            }
            catch (Exception gone)
                when (gone is OrleansException or TimeoutException or IOException or ConsoleException { Code: ExitCode.NoSilo })
            {
                lost = cluster ?? lost;
            }

            _again++;
            await Task.Delay(Pause, session.Terminal.Clock, cancel);
        }
    }

    private static byte[] Sales(ulong number, DateTimeOffset now)
    {
        var text = new StringBuilder();
        for (var sale = 1; sale <= Together; sale++)
        {
            var (id, till, cents) = ((number * Together) + (ulong)sale, 1 + (number % 4), 990 + (sale * 37 % 2100));
            text.Append(
                    CultureInfo.InvariantCulture,
                    $$"""{"time":"{{now:O}}","severity":"info","message":"sale {{id}}","till":{{till}},"cents":{{cents}}}"""
                )
                .Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static async Task<(int First, int Second)> Count(ICluster cluster, string sql, CancellationToken cancel)
    {
        var reply = await cluster.LogQuery().Sql(new(sql, Since: null, Until: null, Limit: 1), cancel);
        if (reply.End.Sentence is { } sentence)
        {
            throw new ConsoleException(sentence);
        }

        using var row = JsonDocument.Parse(reply.Rows[0]);
        return (row.RootElement[0].GetInt32(), row.RootElement[1].GetInt32());
    }
}
