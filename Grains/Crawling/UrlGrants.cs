using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling;

/// <summary>
/// Who may fetch a URL: of each crawl the highest lease number that asked, as long as the URL is not done in that crawl. Remembers the
/// last <see cref="MaxCrawls"/> crawls that asked.
/// </summary>
internal sealed class UrlGrants
{
    public const int MaxCrawls = 64;

    private readonly Dictionary<CrawlId, long> _granted = [];
    private readonly Queue<CrawlId> _order = new();

    /// <param name="stored">What the host has durably of the URL in this crawl; null: nothing.</param>
    public UrlGrantAnswer Grant(CrawlId crawl, long lease, UrlState? stored)
    {
        if (stored is not (null or UrlState.Queued))
        {
            return UrlGrantAnswer.Done;
        }

        if (!_granted.TryGetValue(crawl, out var highest))
        {
            _order.Enqueue(crawl);
            if (_order.Count > MaxCrawls)
            {
                _granted.Remove(_order.Dequeue());
            }
        }
        else if (lease < highest)
        {
            return UrlGrantAnswer.Superseded;
        }

        _granted[crawl] = lease;
        return UrlGrantAnswer.Granted;
    }
}
