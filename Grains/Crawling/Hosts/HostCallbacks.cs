using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Hosts;

/// <summary>What a host's work needs of the grain that does it.</summary>
/// <param name="Ready">Tells a worker that there is something to fetch.</param>
/// <param name="Finished">Announces what became of pages.</param>
/// <param name="WakeAt">Has <see cref="HostPump.Run"/> called at a time by the schedule's clock; the second one is now.</param>
/// <param name="Observe">Begins what nobody awaits: a failure ends the activation.</param>
/// <param name="Lost">A crawl goes to another activation, and why: this one ends.</param>
/// <param name="Expired">A lease ended without a report.</param>
/// <param name="Late">A report came late or twice and changes nothing.</param>
/// <param name="Leased">Leases were given out: so many for the first time, so many not.</param>
/// <param name="Load">What the host has at the moment.</param>
internal sealed record HostCallbacks(
    Action<int, HostReady> Ready,
    Action<PagesFinished> Finished,
    Action<DateTimeOffset, DateTimeOffset> WakeAt,
    BeginUnawaited Observe,
    Action<CrawlId, string> Lost,
    Action<ExpiredLease> Expired,
    Action<FetchOutcome> Late,
    Action<int, int> Leased,
    Action<HostLoads> Load
);

/// <summary>What a host has at the moment, over its crawls.</summary>
/// <param name="Waiting">URLs, those in flight included.</param>
/// <param name="Leased">URLs in flight.</param>
/// <param name="Commits">Pieces of work that wait for a commit.</param>
/// <param name="Bytes">Memory of what is known of URLs.</param>
internal readonly record struct HostLoads(long Waiting, long Leased, long Commits, long Bytes);
