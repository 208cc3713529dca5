using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using Grains.Crawling.Archive;
using Grains.Crawling.Fields;
using Grains.Crawling.Frontier;
using Grains.Crawling.Pages;
using Grains.Crawling.Robots;
using Grains.Crawling.Sessions;
using Grains.Crawling.Sitemaps;
using Grains.Crawling.Specs;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.DependencyInjection;

namespace Grains.Crawling.Fetching;

/// <summary>Fetches one URL and reads it: what is to be reported, and where its links lead. Knows no grains.</summary>
/// <remarks>
/// It runs on the thread pool, not on the scheduler of the grain that waits for it: a worker's pages are read beside each other, on all
/// cores.
/// </remarks>
public sealed class PageVisitor(
    IPageFetcher fetcher,
    FetchSettings settings,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    FetchMetrics metrics,
    PageArchive archive,
    PageHistory history
)
{
    /// <summary>RFC 9309 §2.3.1.2.</summary>
    private const int MaxRobotsRedirects = 5;

    /// <summary>A page or a sitemap.</summary>
    /// <param name="timeLeft">Of the lease. The fetch takes no longer.</param>
    public async Task<Visit> Visit(CrawlOrder order, CrawlBoundary boundary, Lease lease, TimeSpan timeLeft, CancellationToken cancel)
    {
        var url = CanonicalUrl.TryParse(lease.Url, baseUrl: null, out var parsed)
            ? parsed
            : throw new FormatException($"A lease for \"{lease.Url}\", which is no URL.");
        var isSitemap = lease.Kind == LeaseKind.Sitemap;
        var at = clock.GetUtcNow();
        var started = guards.GetTimestamp();
        var past = order.Spec.Revisit is { } earlier ? await history.Find(earlier, url, cancel).ConfigureAwait(false) : null;
        var extractor = isSitemap || boundary.IsWalked(url) ? null : PageExtractor.Of(order.Spec);
        var asked = past is not null && PageChange.MayBeAskedFor(past, order.Spec.Keep, extractor?.Asked) ? past : null;
        var request = Request(order, url, timeLeft, isSitemap ? SitemapReader.MaxBytes + 1 : order.Spec.MaxBodyBytes) with
        {
            WithExchange = order.Spec.Keep != KeepPages.None,
            Session = CrawlSession.Create(order.Spec, boundary.Seeds, out _).For(url, lease.Cookie),
            Accept = isSitemap ? [] : order.Spec.Accept,
            IfNoneMatch = asked?.ETag,
            IfModifiedSince = asked?.LastModified,
        };
        var fetch = await Fetch(order, lease.Kind, request, cancel).ConfigureAwait(false);
        var redirect = Redirect.Of(fetch, url, lease.Hops);
        var verdict =
            redirect.TooMany ? new(FetchResult.Permanent, Refusals.TooManyRedirects)
            : IsCookieWall(order.Spec, lease, fetch, redirect, url) ? new(FetchResult.Temporary, Refusals.CookieWall)
            : FetchVerdict.Of(fetch);
        var reading =
            verdict.Result != FetchResult.Answered ? new PageReading(fetch.ContentType.MediaType) { Error = redirect.Error }
            : isSitemap ? PageReading.OfSitemap(fetch, url, redirect, lease, boundary)
            : PageReading.OfPage(fetch, url, redirect, lease, order.Spec, boundary, settings.ProductToken, at);
        var digest = fetch.Body.IsEmpty ? null : "sha256:" + Convert.ToHexStringLower(SHA256.HashData(fetch.Body.Span));
        var record = new PageRecord(
            lease.Url,
            fetch.Status == 0 ? null : fetch.Status,
            lease.Depth,
            Parent: null,
            Empty(reading.MediaType),
            reading.Title,
            fetch.Body.Length,
            digest,
            reading.Links,
            at,
            (long)fetch.Elapsed.TotalMilliseconds,
            lease.Attempt,
            redirect.Target?.Text,
            fetch.Truncated,
            fetch.Error ?? reading.Error ?? StatusError(fetch, verdict),
            reading.LeftOut,
            Walked: !isSitemap && boundary.IsWalked(url),
            ETag: Bounded(fetch.ETag),
            LastModified: Bounded(fetch.LastModified)
        )
        {
            Protocol = fetch.Protocol,
            Extract =
                verdict.Result == FetchResult.Answered && redirect.Target is null && fetch.Status is >= 200 and < 400 and not 304
                    ? extractor?.Read(
                        fetch.Body.Span,
                        new(reading.MediaType, fetch.ContentType.Charset),
                        isMarkup: reading.Charset is not null,
                        fetch.Truncated
                    )
                    : null,
        };
        if (order.Spec.Revisit is not null && verdict.Result == FetchResult.Answered)
        {
            record = fetch.Status == 304 && past is not null ? PageChange.Known(record, past) : record;
            record = record with { Change = PageChange.Of(past, record) };
        }

        var cookies = order.Spec.NoCookies
            ? []
            : fetch.SetCookies.TakeLast(CookieJar.MaxCookies).Select(line => (Line: line, Cookie: CookieJar.Parse(line, url, at))).ToList();
        var isToKeep = verdict.Result == FetchResult.Answered && !record.Walked && IsToKeep(order.Spec.Keep, fetch, reading, past);
        if (isToKeep && !order.KeptFull)
        {
            try
            {
                var records = PageRecords.Of(lease.Url, at, fetch, digest, lease.Depth, reading.Charset, past);
                record = record with { Kept = await Keep(order.Id, records, timeLeft - guards.GetElapsedTime(started), cancel) };
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                // The page counts as not fetched, and is tried again when the store may be well.
                return NotStored(order, lease, record with { Error = $"The page could not be kept: {failure.Message}", Extract = null });
            }
        }

        return new(
            new(
                order.Id,
                lease.Kind,
                lease.Url,
                lease.Number,
                verdict.Result,
                verdict.Reason,
                verdict.Reason == Refusals.CookieWall ? TimeSpan.Zero
                    : verdict.Result == FetchResult.Temporary ? fetch.RetryAfter
                    : null,
                record,
                reading.Own,
                Robots: null
            )
            {
                NotKept = isToKeep && record.Kept is null,
                TurnedAway = reading.TurnedAway,
                LeftOut = reading.Elsewhere,
                SetCookies = OfHost(cookies),
                CookiesCut = order.Spec.NoCookies
                    ? 0
                    : fetch.SetCookies.Length - cookies.Count + cookies.Count(set => set.Cookie is null && CookieJar.IsTooLong(set.Line)),
                Found = reading.Found,
                HasSitemaps = verdict.Result == FetchResult.Answered && lease.Sitemaps is not null,
            },
            reading.Foreign
        )
        {
            DomainCookies = [.. cookies.Select(set => set.Cookie).OfType<StoredCookie>().Where(cookie => cookie.Domain is not null)],
        };
    }

    /// <summary>The lines of those that are for the host of the URL alone; null: none.</summary>
    private static ImmutableArray<string>? OfHost(List<(string Line, StoredCookie? Cookie)> cookies)
    {
        ImmutableArray<string> own = [.. cookies.Where(set => set.Cookie is { Domain: null }).Select(set => set.Line)];
        return own.IsEmpty ? null : own;
    }

    /// <summary>A page that redirects to itself and sets a cookie wants to be asked once more, with the cookie.</summary>
    private static bool IsCookieWall(CrawlSpec spec, Lease lease, PageFetch fetch, Redirect redirect, CanonicalUrl url) =>
        !spec.NoCookies && lease.Attempt == 1 && !fetch.SetCookies.IsEmpty && redirect.Target?.Equals(url) == true;

    /// <summary>Null when the records are too large for an object.</summary>
    private async Task<KeptPage?> Keep(CrawlId crawl, ReadOnlyMemory<byte> records, TimeSpan left, CancellationToken cancel) =>
        records.Length > PageArchive.MaxPageBytes
            ? null
            : await archive
                .Keep(crawl, records, cancel)
                .WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, guards, cancel)
                .ConfigureAwait(false);

    private static bool IsToKeep(KeepPages keep, PageFetch fetch, PageReading reading, PageRecord? past) =>
        keep switch
        {
            KeepPages.None => false,
            KeepPages.Html when fetch.Status == 304 && past is not null => PageChange.IsHtml(past),
            KeepPages.Html => fetch.Status == 304 || fetch.ContentType.IsHtml || reading.IsHtml,
            _ => true,
        };

    private static Visit NotStored(CrawlOrder order, Lease lease, PageRecord record) =>
        new(
            new(
                order.Id,
                lease.Kind,
                lease.Url,
                lease.Number,
                FetchResult.Temporary,
                Refusals.PageStore,
                RetryAfter: null,
                record,
                Links: [],
                Robots: null
            ),
            ImmutableDictionary<HostKey, List<FoundUrl>>.Empty
        );

    /// <summary>The robots.txt of an origin. Redirects are followed, to other hosts too: they lead to no page.</summary>
    public async Task<Visit> VisitRobots(CrawlOrder order, Lease lease, TimeSpan timeLeft, CancellationToken cancel)
    {
        var url = CanonicalUrl.TryParse(lease.Url, baseUrl: null, out var parsed)
            ? parsed
            : throw new FormatException($"A lease for \"{lease.Url}\", which is no URL.");
        var at = clock.GetUtcNow();
        var started = guards.GetTimestamp();
        PageFetch fetch;
        for (var redirects = 0; ; redirects++)
        {
            var left = timeLeft - guards.GetElapsedTime(started);
            fetch =
                left > TimeSpan.Zero
                    ? await Fetch(order, LeaseKind.Robots, Request(order, url, left, RobotsRules.MaxBytes + 1), cancel)
                        .ConfigureAwait(false)
                    : PageFetch.Failed(
                        FetchFailure.Timeout,
                        "The redirects of robots.txt took longer than the time-out of a fetch.",
                        guards.GetElapsedTime(started)
                    );
            if (!fetch.IsRedirect || redirects == MaxRobotsRedirects || !CanonicalUrl.TryParse(fetch.Location, url, out var next))
            {
                break;
            }

            url = next;
        }

        var verdict = FetchVerdict.Of(fetch);
        var record = new PageRecord(
            lease.Url,
            fetch.Status == 0 ? null : fetch.Status,
            0,
            null,
            Empty(fetch.ContentType.MediaType),
            null,
            fetch.Body.Length,
            null,
            0,
            at,
            (long)fetch.Elapsed.TotalMilliseconds,
            lease.Attempt,
            null,
            fetch.Truncated,
            fetch.Error ?? StatusError(fetch, verdict)
        );

        // Of rules that are not there whole nobody knows what the others say; those behind the limit are the RFC's own exception.
        var body = fetch.Status is >= 200 and <= 299 && fetch.Error is null ? fetch.Body.ToArray() : null;
        return new(
            new(order.Id, lease.Kind, lease.Url, lease.Number, verdict.Result, verdict.Reason, fetch.RetryAfter, record, [], body),
            new Dictionary<HostKey, List<FoundUrl>>()
        );
    }

    /// <summary>Measured, and in the trace of the request that started the crawl.</summary>
    private async Task<PageFetch> Fetch(CrawlOrder order, LeaseKind kind, PageRequest request, CancellationToken cancel)
    {
        using var activity = FetchMetrics.Traces.StartActivity("fetch", ActivityKind.Client, order.Trace);
        var fetch =
            order.Spec.Proxy is { } proxy && request.Proxy is null
                ? PageFetch.Failed(FetchFailure.Proxy, settings.Limits.Proxies.Missing(proxy), TimeSpan.Zero)
                : await fetcher.Fetch(request, cancel);
        metrics.OnFetched(kind, FetchVerdict.Of(fetch).Result, fetch.Elapsed, fetch.Body.Length);
        activity?.SetTag("url.full", request.Url).SetTag("http.response.status_code", fetch.Status).SetTag("crawl", order.Id.Value);
        return fetch;
    }

    private PageRequest Request(CrawlOrder order, CanonicalUrl url, TimeSpan timeLeft, int maxBytes) =>
        new(
            url.Text,
            order.Spec.Timeout < timeLeft ? order.Spec.Timeout : timeLeft,
            maxBytes,
            CrawlSpecCheck.Allowed(order.Spec, settings.Limits),
            settings.UserAgentOf(order.Spec)
        )
        {
            Proxy = order.Spec.Proxy is { } proxy ? settings.Limits.Proxies.Find(proxy) : null,
            AcceptAnyCertificate = settings.Limits.OwnHosts.Contains(url.HostKey),
        };

    private static string? StatusError(PageFetch fetch, FetchVerdict verdict) =>
        verdict.Result == FetchResult.Answered ? null
        : fetch.IsNotAccepted ? $"Its type {fetch.ContentType.MediaType} is none that the crawl accepts; the body was not read."
        : $"The server answered {fetch.Status}.";

    private static string? Bounded(string? validator) => validator?.Length > PageRecord.MaxValidator ? null : validator;

    private static string? Empty(string text) => text.Length == 0 ? null : text;
}

/// <summary>What came of a visit.</summary>
/// <param name="Outcome">For the host, once <paramref name="Foreign"/> is durable.</param>
/// <param name="Foreign">Links in scope on other hosts.</param>
public sealed record Visit(FetchOutcome Outcome, IReadOnlyDictionary<HostKey, List<FoundUrl>> Foreign)
{
    /// <summary>Cookies for other hosts of the domain too: set there before the outcome is reported.</summary>
    public ImmutableArray<StoredCookie> DomainCookies { get; init; } = [];

    /// <summary>Nothing was fetched: the URL goes back, or is known.</summary>
    public static Visit Released(CrawlOrder order, Lease lease, FetchResult result = FetchResult.Released) =>
        new(
            new(order.Id, lease.Kind, lease.Url, lease.Number, result, Reason: null, RetryAfter: null, Page: null, Links: [], Robots: null),
            ImmutableDictionary<HostKey, List<FoundUrl>>.Empty
        );
}
