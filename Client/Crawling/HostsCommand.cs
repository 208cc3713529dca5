using System.CommandLine;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Values;

namespace Client.Crawling;

/// <summary><c>crawl hosts ID</c></summary>
internal sealed class HostsCommand
{
    private readonly Argument<string> _crawl = CrawlArgument.Create();

    private readonly Limit _limit = new("hosts", usual: 100);

    private readonly Option<string?> _after = new("--after")
    {
        Description = "Hosts behind this one, in the order of their names.",
        HelpName = "HOST",
    };

    private HostsCommand() { }

    public static Command Create(Verbs verbs)
    {
        var hosts = new HostsCommand();
        return verbs.Read(
            new("hosts", "Show how each host of a crawl is asked: its state, pace and failures, and why.")
            {
                hosts._crawl,
                hosts._limit.Option,
                hosts._after,
            },
            hosts.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var id = await session.Find(parsed.GetRequiredValue(_crawl), cancel);
        var limit = _limit.Of(parsed);
        var crawl = (await session.Cluster(cancel)).Crawl(id);
        var hosts = new List<HostState>();
        HostKey? last = parsed.GetValue(_after) is { } after ? new HostKey(after) : null;
        var hasMore = true;
        while (hasMore && hosts.Count < limit)
        {
            var take = Math.Min(limit - hosts.Count, ICrawlGrain.MaxHostStates);
            var page = await crawl.HostStates(last, take, cancel);
            hosts.AddRange(page);
            hasMore = page.Length == take;
            last = page is [.., var end] ? end.Host : last;
        }

        if (session.Json)
        {
            hosts.ForEach(host => session.Terminal.Json(HostForm.Of(host)));
        }
        else
        {
            Listing(hosts).WriteTo(session.Terminal);
        }

        session.End(ListEnd.Of(hosts.Count, hasMore ? last?.Value : null), "hosts");

        return ExitCode.Done;
    }

    private static Listing Listing(List<HostState> hosts)
    {
        var listing = new Listing()
            .Column("host", wrap: true, isId: true)
            .Column("state")
            .Column("done", right: true)
            .Column("queued", right: true)
            .Column("failed", right: true)
            .Column("delay", right: true)
            .Column("next")
            .Column("why", wrap: true);
        foreach (var host in hosts)
        {
            listing.Row(
                host.Host.Value,
                new(host.State, host.State is "robots" or "slowed" or "resting" or "address" ? "yellow" : "grey"),
                Counts.Format(host.Pages),
                Counts.Format(host.Queued),
                Counts.Format(host.Failed),
                Durations.Format(host.Delay),
                host.NextAt?.UtcDateTime.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                host.Why
            );
        }

        return listing;
    }
}
