using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>Paths that a site makes up without end: too deep, or with one segment again and again.</summary>
internal sealed class UrlTraps(CrawlSpec spec)
{
    private readonly BoundaryDecision _tooDeep = BoundaryDecision.Refuses(
        BoundaryDecision.PathDepth,
        $"Its path has more than {spec.MaxPathDepth} segments (--max-path-depth)."
    );

    private readonly BoundaryDecision _repeats = BoundaryDecision.Refuses(
        BoundaryDecision.Repeats,
        $"Its path has one segment more than {spec.MaxRepeats} times (--max-repeats)."
    );

    /// <summary>Why a URL is taken for a trap; null when it is not.</summary>
    public BoundaryDecision? Find(CanonicalUrl url)
    {
        var path = url.Path;
        var most = Math.Min(spec.MaxPathDepth > 0 ? spec.MaxPathDepth : int.MaxValue, spec.MaxRepeats > 0 ? spec.MaxRepeats : int.MaxValue);
        if (path.AsSpan().Count('/') <= most)
        {
            return null; // It has not even as many segments.
        }

        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return spec.MaxPathDepth > 0 && segments.Length > spec.MaxPathDepth ? _tooDeep
            : spec.MaxRepeats > 0 && segments.CountBy(segment => segment).Any(segment => segment.Value > spec.MaxRepeats) ? _repeats
            : null;
    }
}
