using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// The boundaries of the crawls that a worker deals with, each parsed once, <see cref="MaxKept"/> at a time. The rules of a crawl never
/// change.
/// </summary>
internal sealed class CrawlBoundaries
{
    public const int MaxKept = 64;

    private readonly Dictionary<CrawlId, CrawlBoundary> _kept = [];

    public CrawlBoundary Of(CrawlOrder order)
    {
        if (_kept.TryGetValue(order.Id, out var boundary))
        {
            return boundary;
        }

        if (!CrawlBoundary.TryCreate(order.Spec, out boundary, out var errors))
        {
            throw new InvalidOperationException($"Crawl {order.Id} has rules that do not parse: {string.Join(' ', errors)}");
        }

        if (_kept.Count == MaxKept)
        {
            _kept.Clear();
        }

        _kept.Add(order.Id, boundary);
        return boundary;
    }
}
