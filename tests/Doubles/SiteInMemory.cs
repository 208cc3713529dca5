using System.Collections.Concurrent;
using System.Collections.Immutable;
using Grains.Crawling.Pages;

namespace Doubles;

/// <summary>
/// A web without a network: answers by URL, 404 for the others. Keeps the body limit, and nothing else of what only HTTP has.
/// What takes no time takes none: <see cref="PageFetch.Elapsed"/> is zero unless a gate holds it up.
/// </summary>
public sealed class SiteInMemory(TimeProvider? clock = null) : IPageFetcher
{
    private readonly ConcurrentDictionary<string, SiteAnswer> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ConcurrentQueue<FetchFailure>> _failures = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    /// <summary>Targets are whole URLs.</summary>
    public SiteLedger Ledger { get; } = new(clock ?? TimeProvider.System);

    /// <summary>Asked for URLs that were not added; null or a null answer: 404.</summary>
    public Func<string, SiteAnswer?>? Otherwise { get; set; }

    /// <summary>
    /// An answer that a gate holds up comes when it opens, even if nobody waits for it any more: as of a fetcher that does not stop when it
    /// is told to.
    /// </summary>
    public bool Stubborn { get; set; }

    public SiteInMemory Add(string url, SiteAnswer answer)
    {
        _answers[url] = answer;
        return this;
    }

    public SiteInMemory Add(string url, string html) => Add(url, SiteAnswer.Html(html));

    /// <summary>The next fetches of this URL fail so, <paramref name="times"/> times; then it answers again.</summary>
    public SiteInMemory FailNext(string url, FetchFailure failure, int times = 1)
    {
        var failures = _failures.GetOrAdd(url, _ => new());
        for (var i = 0; i < times; i++)
        {
            failures.Enqueue(failure);
        }

        return this;
    }

    public async Task<PageFetch> Fetch(PageRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var start = _clock.GetTimestamp();
        Ledger.OnStart(request.Url, () => Headers(request));
        try
        {
            if (_failures.TryGetValue(request.Url, out var failures) && failures.TryDequeue(out var failure))
            {
                return PageFetch.Failed(failure, $"{request.Url} was told to fail: {failure}.", _clock.GetElapsedTime(start));
            }

            var answer = _answers.GetValueOrDefault(request.Url) ?? Otherwise?.Invoke(request.Url) ?? SiteAnswer.Empty(404);
            if (answer.Gate is { } gate)
            {
                await gate.Pass(Stubborn ? CancellationToken.None : cancel);
            }

            return Fetched(answer, request) with
            {
                Elapsed = _clock.GetElapsedTime(start),
            };
        }
        finally
        {
            Ledger.OnEnd();
        }
    }

    private static PageFetch Fetched(SiteAnswer answer, PageRequest request)
    {
        var maxBodyBytes = request.MaxBodyBytes;
        if (answer.Status is >= 200 and < 300 && !ContentType.Parse(answer.ContentType).IsAmong(request.Accept))
        {
            return new()
            {
                Status = answer.Status,
                ContentType = ContentType.Parse(answer.ContentType),
                IsNotAccepted = true,
            };
        }

        if (answer.Status == 200 && IsKnown(answer, request))
        {
            answer = SiteAnswer.Empty(304) with { Headers = answer.Headers };
        }

        return new()
        {
            Status = answer.Status,
            Protocol = answer.Protocol,
            ContentType = ContentType.Parse(answer.ContentType),
            Location = First(answer, "Location"),
            RetryAfter = First(answer, "Retry-After") is { } seconds
                ? TimeSpan.FromSeconds(int.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture))
                : null,
            ETag = First(answer, "ETag"),
            LastModified = First(answer, "Last-Modified"),
            Links = All(answer, "Link"),
            Refresh = First(answer, "Refresh"),
            RobotsTags = All(answer, "X-Robots-Tag"),
            SetCookies = All(answer, "Set-Cookie"),
            Body = answer.Body[..Math.Min(answer.Body.Length, maxBodyBytes)],
            NoSniff = First(answer, "X-Content-Type-Options") == "nosniff",
            Truncated = answer.Body.Length > maxBodyBytes || answer.BodyError is not null,
            Error = answer.BodyError,
            WireBytes = Math.Min(answer.Body.Length, maxBodyBytes),
            Exchange = request.WithExchange ? Exchange(answer, request) : null,
        };
    }

    /// <summary>RFC 9110 §13.2.2: an ETag that is asked for decides alone.</summary>
    private static bool IsKnown(SiteAnswer answer, PageRequest request) =>
        request.IfNoneMatch is { } etag
            ? First(answer, "ETag") == etag
            : request.IfModifiedSince is { } modified && First(answer, "Last-Modified") == modified;

    private static HttpExchange Exchange(SiteAnswer answer, PageRequest request) =>
        new(
            $"GET {request.Url} HTTP/1.1\r\nUser-Agent: {request.UserAgent}\r\n\r\n",
            $"HTTP/1.1 {answer.Status} In memory",
            answer.ContentType is { } type ? [("Content-Type", type), .. answer.Headers] : answer.Headers,
            IsDecoded: true,
            answer.Body.Length > request.MaxBodyBytes ? "length" : null
        )
        {
            Protocol = answer.Protocol == "h2" ? "h2" : null,
        };

    private static string? First(SiteAnswer answer, string name) => All(answer, name).FirstOrDefault();

    private static ImmutableArray<string> All(SiteAnswer answer, string name) =>
        [.. answer.Headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value)];

    private static Dictionary<string, string> Headers(PageRequest request)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["User-Agent"] = request.UserAgent };
        if (request.IfNoneMatch is { } etag)
        {
            headers["If-None-Match"] = etag;
        }

        if (request.Proxy is { } proxy)
        {
            headers["(proxy)"] = proxy.Name;
        }

        if (request.AcceptAnyCertificate)
        {
            headers["(any certificate)"] = "";
        }

        if (request.IfModifiedSince is { } modified)
        {
            headers["If-Modified-Since"] = modified;
        }

        foreach (var (name, value) in request.Session)
        {
            headers[name] = value;
        }

        return headers;
    }
}
