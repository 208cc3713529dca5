namespace Grains.Crawling.Pages;

/// <summary>The way out to the web: one request, one answer, whatever happens there.</summary>
public interface IPageFetcher
{
    /// <summary>
    /// Asks once: no redirect is followed, nothing is tried again, no delay is kept. What the web does wrong is a value.
    /// </summary>
    /// <exception cref="OperationCanceledException">Only when <paramref name="cancel"/> was.</exception>
    Task<PageFetch> Fetch(PageRequest request, CancellationToken cancel);
}
