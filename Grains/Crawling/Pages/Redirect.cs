using System.Globalization;
using Grains.Crawling.Urls;

namespace Grains.Crawling.Pages;

/// <summary>
/// Where an answer leads instead of being a page. The target is a URL of its own, fetched like any other, so hops are counted from URL to
/// URL.
/// </summary>
/// <param name="Target">Null when the answer is no redirect, or leads to nothing that can be crawled.</param>
/// <param name="Error">What is wrong with it, a sentence; null when nothing is.</param>
/// <param name="TooLong">The target is longer than a URL may be.</param>
/// <param name="TooMany">More than <see cref="MaxHops"/> in a row: it is not followed, and the URL has failed.</param>
internal readonly record struct Redirect(CanonicalUrl? Target, string? Error = null, bool TooLong = false, bool TooMany = false)
{
    /// <summary>As many as Fetch allows.</summary>
    public const int MaxHops = 20;

    /// <param name="fetch">An answer or a failure.</param>
    /// <param name="url">Which URL answered.</param>
    /// <param name="hops">Redirects in a row that led to it.</param>
    public static Redirect Of(PageFetch fetch, CanonicalUrl url, int hops)
    {
        if (!fetch.IsRedirect)
        {
            return PageFetch.Redirects(fetch.Status)
                ? new(null, Say($"The server answered {fetch.Status} and does not say where to: it is read as a page."))
                : default;
        }

        var fault = UrlParser.Parse(fetch.Location, url, out var target);
        if (target is null)
        {
            var why = UrlFaults.Say(fault, fetch.Location);
            return new(
                null,
                $"It redirects to \"{UrlFaults.Shorten(fetch.Location)}\", which cannot be crawled: {why}.",
                fault == UrlFault.TooLong
            );
        }

        return hops >= MaxHops
                ? new(target, Say($"It redirects to {target}, after {hops} redirects in a row: no further one is followed."), TooMany: true)
            : target.Equals(url) ? new(target, "It redirects to itself.")
            : new(target);
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
