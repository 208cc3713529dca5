using Grains.Interfaces.Crawling;

namespace Grains.Crawling;

/// <summary>
/// Who may fetch a URL: of each crawl the highest lease number that asked, as long as the URL is not done in that crawl.
/// Remembers the last <see cref="MaxCrawls"/> crawls in which it is done; the host's rows know all of them.
/// </summary>
[GenerateSerializer, Alias("crawling.UrlGrants")]
public sealed class UrlGrants
{
    /// <summary>The named storage that keeps it.</summary>
    public const string Storage = "urls";

    public const int MaxCrawls = 8;

    /// <summary>Not stored: see <see cref="UrlGrain"/>.</summary>
    [NonSerialized]
    private readonly Dictionary<CrawlId, long> _granted = [];

    /// <summary>What the last fetch learned, in whatever crawl.</summary>
    [Id(0)]
    public UrlFacts? Facts { get; set; }

    /// <summary>Crawls in which the URL is done, the latest last.</summary>
    [Id(1)]
    public List<string> DoneIn { get; set; } = [];

    public UrlGrantAnswer Grant(CrawlId crawl, long lease)
    {
        if (DoneIn.Contains(crawl.Value))
        {
            return UrlGrantAnswer.Done;
        }

        if (_granted.TryGetValue(crawl, out var highest) && lease < highest)
        {
            return UrlGrantAnswer.Superseded;
        }

        if (_granted.Count >= MaxCrawls && !_granted.ContainsKey(crawl))
        {
            _granted.Remove(_granted.MinBy(granted => granted.Value).Key);
        }

        _granted[crawl] = lease;
        return UrlGrantAnswer.Granted;
    }

    /// <summary>False when this was known already: the same report came twice.</summary>
    public bool Learn(CrawlId crawl, UrlFacts facts)
    {
        if (DoneIn.Contains(crawl.Value))
        {
            return false;
        }

        Facts = facts;
        DoneIn.Add(crawl.Value);
        if (DoneIn.Count > MaxCrawls)
        {
            DoneIn.RemoveAt(0);
        }

        _granted.Remove(crawl);
        return true;
    }
}
