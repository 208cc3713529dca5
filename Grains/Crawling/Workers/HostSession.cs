using Grains.Crawling.Fetching;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// One host of one crawl, as a worker deals with it: what it has in flight from there, what is to be reported, and whether asking for more
/// is worth it.
/// </summary>
internal sealed class HostSession(HostKey host, CrawlId crawl)
{
    public HostKey Host => host;

    public CrawlId Crawl => crawl;

    /// <summary>Fetches that the crawl may have in flight in all.</summary>
    public int Parallel { get; set; }

    public int InFlight { get; set; }

    /// <summary>How many reports are under way.</summary>
    public int Reports { get; set; }

    /// <summary>The last answer was as much as was asked for, or something has ended since: asking is worth it.</summary>
    public bool MayHaveMore { get; set; }

    /// <summary>Finished, and not yet reported.</summary>
    public List<Visit> Outcomes { get; set; } = [];

    public bool IsIdle => InFlight == 0 && Reports == 0 && Outcomes.Count == 0;
}
