using System.Globalization;
using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Hosts;

/// <summary>How a host is asked, in words and numbers.</summary>
internal static class HostStates
{
    /// <param name="crawl">What the host has of the crawl; null: nothing.</param>
    public static HostState Of(HostKey host, HostCrawl? crawl, Politeness politeness, HostTime now)
    {
        var (state, why) = Word(crawl, politeness, now);
        var next = politeness.Next(now);
        var sums = crawl?.Sums() ?? HostHead.NoSums(host);
        return new(
            host,
            state,
            why,
            politeness.Asked,
            politeness.Clock.Delay,
            next > now.Schedule ? next : null,
            politeness.Clock.InFlight,
            sums.Done,
            sums.Waiting,
            sums.Failed,
            sums.Bytes,
            sums.Refused
        );
    }

    private static (string State, string? Why) Word(HostCrawl? crawl, Politeness politeness, HostTime now) =>
        crawl switch
        {
            null or { Ended: true } => (
                "ended",
                crawl?.EndReason is { } reason ? $"The crawl has ended here: {reason}. {HostBudget.Why(reason)}".TrimEnd() : null
            ),
            { Waiting: 0 } => ("idle", null),
            { Order.State: CrawlState.Paused } => ("paused", null),
            _ when politeness.RobotsNote(crawl.Order.Spec) is { } note => ("robots", note),
            _ when politeness.HasInherited(now) => ("resting", "Requests of an earlier activation may still be under way."),
            _ when politeness.Clock.NotBefore > now.Schedule => (
                "resting",
                Say($"It asked not to be asked before {politeness.Clock.NotBefore.UtcDateTime:u}.")
            ),
            { MayLease: false, Queue.Leased: 0 } => ("full", "Its share of --max-pages is used up."),
            _ when politeness.Address.Why is { } turn => ("address", turn),
            _ when politeness.Pace.Why is { } slowed => ("slowed", slowed),
            _ => (
                "asked",
                politeness.Asked > crawl.Order.Spec.Delay ? "Another crawl or robots.txt asks for a longer delay than this crawl." : null
            ),
        };

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
