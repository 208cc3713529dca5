using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary><c>logs ledger</c></summary>
internal sealed class LogLedgerCommand
{
    private readonly Option<string?> _since = LogQueryOptions.Since("24h");
    private readonly Option<string?> _until = LogQueryOptions.Until();
    private readonly Limit _limit = new("lines", usual: 1000);

    public static Command Create(Verbs verbs)
    {
        var ledger = new LogLedgerCommand();
        return verbs.Read(
            new(
                "ledger",
                "By service and hour of arrival: received = stored + filtered + sampled + repeated + refused. Ends with 1 when "
                    + "a line does not balance, or when segments cannot be read; stderr names them."
            )
            {
                ledger._since,
                ledger._until,
                ledger._limit.Option,
            },
            ledger.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var now = session.Terminal.Clock.GetUtcNow();
        var since = LogText.Time(parsed.GetValue(_since) ?? "24h", "--since", now)!.Value;
        var until = LogText.Time(parsed.GetValue(_until), "--until", now) ?? now;
        var cluster = await session.Cluster(cancel);
        var settings = await cluster.LogQuery().Settings(cancel);
        var shards = Enumerable.Range(0, settings.Shards).Select(cluster.LogShard).ToArray();
        var counts = LogCountForm.Of(
            (await Task.WhenAll(shards.Select(shard => shard.Counts(since, until, cancel)))).SelectMany(shard => shard)
        );
        var (shown, end) = (counts.Take(_limit.Of(parsed)), ListEnd.Of(counts.Length, _limit.Of(parsed)));
        var states = await Task.WhenAll(shards.Select(shard => shard.Show(cancel)));
        if (session.Json)
        {
            foreach (var count in shown)
            {
                session.Terminal.Json(count);
            }
        }
        else if (counts.IsEmpty)
        {
            session.TellNothing($"Nothing came in since {since:yyyy-MM-dd HH:mm:ss}Z; a longer --since looks further back.");
        }
        else
        {
            Table(shown).WriteTo(session.Terminal);
        }

        session.End(end, "lines");

        var unreadable = states.Sum(state => state.Unreadable);
        if (unreadable > 0)
        {
            LogText.NoteUnreadable(session.Terminal, unreadable, [.. states.SelectMany(state => state.UnreadableNames())]);
        }

        return unreadable == 0 && counts.All(count => count.Balances) ? ExitCode.Done : ExitCode.Failed;
    }

    private static Listing Table(IEnumerable<LogCountForm> counts)
    {
        var listing = new Listing()
            .Column("hour")
            .Column("service", wrap: true)
            .Column("received", right: true)
            .Column("= stored", right: true)
            .Column("+ filtered", right: true)
            .Column("+ sampled", right: true)
            .Column("+ repeated", right: true)
            .Column("+ refused", wrap: true)
            .Column("balances");
        foreach (var count in counts)
        {
            listing.Row(
                $"{count.Hour.UtcDateTime:yyyy-MM-dd HH}h",
                count.Service.Length == 0 ? "-" : count.Service,
                Counts.Format(count.Received),
                Counts.Format(count.Stored),
                Counts.Format(count.Filtered),
                Counts.Format(count.Sampled),
                Counts.Format(count.Repeated),
                count.Refused.IsEmpty
                    ? "0"
                    : string.Join('\n', count.Refused.Select(refused => $"{Counts.Format(refused.Value)} {refused.Key}")),
                new(count.Balances ? "yes" : "NO", count.Balances ? "green" : "bold red")
            );
        }

        return listing;
    }
}
