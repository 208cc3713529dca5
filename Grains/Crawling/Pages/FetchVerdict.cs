using System.Globalization;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Pages;

/// <summary>Whether a fetch is the end of the matter, and the word for the books if it is no answer.</summary>
/// <param name="Result">Answered, Temporary or Permanent.</param>
/// <param name="Reason">Null when answered; else <c>timeout</c>, <c>unreachable</c>, <c>http-503</c>, <c>private-address</c>,
/// <c>bad-http</c>, <c>tls</c>, <c>too-long-headers</c>, <c>bad-url</c> or <c>proxy</c>.</param>
public readonly record struct FetchVerdict(FetchResult Result, string? Reason)
{
    /// <summary>
    /// 408 (too slow), 425 (too early), 429 and 5xx may go better later, but 501 and 505 speak of what the server is. A wrong certificate
    /// is the site's answer until somebody mends it.
    /// </summary>
    public static FetchVerdict Of(PageFetch fetch) =>
        fetch.Failure switch
        {
            FetchFailure.None when fetch.IsNotAccepted => new(FetchResult.Permanent, "not-accepted"),
            FetchFailure.None => OfStatus(fetch.Status),
            FetchFailure.Timeout => new(FetchResult.Temporary, "timeout"),
            FetchFailure.Unreachable => new(FetchResult.Temporary, "unreachable"),
            FetchFailure.Tls => new(FetchResult.Permanent, "tls"),
            FetchFailure.PrivateAddress => new(FetchResult.Permanent, "private-address"),
            FetchFailure.BadHttp => new(FetchResult.Permanent, "bad-http"),
            FetchFailure.TooLongHeaders => new(FetchResult.Permanent, "too-long-headers"),
            FetchFailure.BadUrl => new(FetchResult.Permanent, "bad-url"),
            FetchFailure.Proxy => new(FetchResult.Temporary, "proxy"),
            _ => throw new ArgumentOutOfRangeException(nameof(fetch), fetch.Failure, "Not a way to fail."),
        };

    private static FetchVerdict OfStatus(int status) =>
        status is 408 or 425 or 429 or (>= 500 and <= 599 and not 501 and not 505)
            ? new(FetchResult.Temporary, string.Create(CultureInfo.InvariantCulture, $"http-{status}"))
            : new(FetchResult.Answered, Reason: null);
}
