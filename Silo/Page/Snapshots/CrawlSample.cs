using Grains.Interfaces.Crawling;

namespace Silo.Page.Snapshots;

/// <summary>One crawl as its view shows it.</summary>
/// <param name="Crawl">Null when there is none.</param>
/// <param name="PagesPerSecond">Over the last ten seconds; null before there are two samples.</param>
public sealed record CrawlSample(CrawlSummary? Crawl, double? PagesPerSecond);

/// <summary>Pages a second over the last samples, told the time. Not thread-safe.</summary>
public sealed class PageRate
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Queue<(DateTimeOffset At, long Pages)> _samples = [];

    public double? Add(DateTimeOffset at, long pages)
    {
        while (_samples.TryPeek(out var old) && (at - old.At > Window || _samples.Count >= 32))
        {
            _samples.Dequeue();
        }

        _samples.Enqueue((at, pages));
        var first = _samples.Peek();
        return at > first.At ? Math.Max(0, pages - first.Pages) / (at - first.At).TotalSeconds : null;
    }
}
