using System.Collections.Immutable;
using System.Globalization;
using Grains.Crawling.Frontier;
using Grains.Crawling.Pages;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Results;

/// <summary>What a host says of one URL, in lines a person can read.</summary>
internal static class Explanations
{
    public const string State = "state";

    public const string Found = "found";

    /// <summary>Why a URL was skipped, a sentence, from the word for the books.</summary>
    public static string Why(string? reason) =>
        reason switch
        {
            Refusals.Robots => "robots.txt does not allow it.",
            Refusals.PrivateAddress => "Its host has a private address.",
            null => "",
            _ => $"Not fetched: {reason}.",
        };

    /// <summary>
    /// What there is to say of a URL that has no row. If links were cut off in this crawl it may be one of them: then nobody can say that
    /// no page links to it.
    /// </summary>
    /// <param name="reasons">The crawl's refusals, by the word for the books.</param>
    /// <param name="truncated">Pages that were read in part.</param>
    public static ExplainLine NotFound(CrawlSpec spec, ImmutableSortedDictionary<string, long> reasons, long truncated)
    {
        var cut = new List<string>();
        foreach (
            var (reason, where) in (ReadOnlySpan<(string, string)>)
                [
                    (Refusals.TooManyLinks, Say($"beyond the first {PageParser.MaxLinks:N0} of their page")),
                    (Refusals.MaxDepth, Say($"more than {spec.MaxDepth} step(s) from a seed")),
                    (Refusals.NoFollow, "that their page asks not to follow"),
                    (Refusals.HostPages, "to a host that has given all of --host-pages"),
                    (Refusals.HostBytes, "to a host that has given all of --host-bytes"),
                    (Refusals.HostTime, "to a host that was asked for all of --host-time"),
                    (Refusals.HostErrors, "to a host that has had all of --host-errors"),
                    (Refusals.Trap, "of an endless calendar or facets that crawl show names"),
                    (Refusals.TooManyHosts, Say($"to hosts beyond the first {ICrawlGrain.MaxHosts:N0}")),
                    (Refusals.HostFull, "to a host that keeps as many URLs as it may"),
                    (Refusals.TooManyRedirects, Say($"behind {Redirect.MaxHops} redirects in a row")),
                ]
        )
        {
            if (reasons.TryGetValue(reason, out var count) && count > 0)
            {
                cut.Add(Say($"{count:N0} {where} ({reason})"));
            }
        }

        var says = cut.Count == 0 ? "" : $"links that were not followed: {string.Join(", ", cut)}";
        if (truncated > 0)
        {
            says += $"{(says.Length > 0 ? "; and " : "")}{truncated.ToString("N0", CultureInfo.InvariantCulture)} page(s) read in part";
        }

        return new(
            Found,
            says.Length == 0
                ? "no page of this crawl that was fetched links to it"
                : $"no link to it was followed, but it may be among what was cut off: {says}"
        );
    }

    /// <summary>What there is to say of a URL that is too long to be one, and of how many links that was so.</summary>
    public static ExplainLine TooLong(ImmutableSortedDictionary<string, long> reasons) =>
        new(
            "left out",
            Say($"a link longer than {CanonicalUrl.MaxLength:N0} characters is refused ({Refusals.TooLongUrl}); ")
                + Say($"in this crawl {reasons.GetValueOrDefault(Refusals.TooLongUrl):N0} were")
        );

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    public static IEnumerable<ExplainLine> Of(UrlRow? row, string url, HostCrawl? crawl, DateTimeOffset now, DateTimeOffset? mayBeAsked)
    {
        if (row is null)
        {
            yield return new(State, "not found");
            yield return new(Found, "no page of this crawl that was fetched links to it");
            yield break;
        }

        yield return new(Found, row.Parent is { } parent ? $"on {parent}, {row.Depth} step(s) from a seed" : "it is a seed");
        yield return new("attempts", row.Attempts.ToString(CultureInfo.InvariantCulture));
        switch (row.State)
        {
            case UrlState.Fetched:
                yield return new(State, "fetched");
                yield return new(
                    "answer",
                    $"{row.Page?.Status} {row.Page?.ContentType}, {row.Page?.Bytes} bytes at {row.Page?.FetchedAt:u}"
                );
                if (row.Page?.Change is { } change)
                {
                    yield return new("change", $"{change}, beside the crawl that is revisited");
                }

                if (row.Page?.Truncated == true)
                {
                    yield return new("truncated", "the body is not here whole, and links behind its end are not known");
                }

                if (row.Page?.CookiesCut is { } cookies)
                {
                    yield return new("cookies cut", Say($"{cookies:N0} that were too long, too many, or pushed out of a full jar"));
                }

                if (row.Page?.Error is { } wrong)
                {
                    yield return new("note", wrong);
                }

                if (row.Page?.LeftOut is { Count: > 0 } leftOut)
                {
                    yield return new("left out", string.Join(", ", leftOut.Select(left => Say($"{left.Value:N0} link(s): {left.Key}"))));
                }

                break;
            case UrlState.Failed:
                yield return new(State, "failed");
                yield return new("why", row.Page?.Error ?? row.Reason ?? "");
                break;
            case UrlState.Skipped:
                yield return new(State, "skipped");
                yield return new("why", row.Page?.Error ?? row.Reason ?? "");
                break;
            case UrlState.Queued when crawl is { Ended: true }:
                yield return new(State, "skipped");
                yield return new("why", $"the crawl ended while it waited ({crawl.EndReason})");
                break;
            case UrlState.Queued when crawl is not null && crawl.Queue.IsHeld(url, out var number):
                yield return new(State, "in flight");
                yield return new("lease", number.ToString(CultureInfo.InvariantCulture));
                break;
            default:
                yield return new(State, "queued");
                if (row.Reason is { } reason)
                {
                    yield return new("last try", row.Page?.Error is { } error ? $"{reason}: {error}" : reason);
                }

                yield return new("host", mayBeAsked is { } next && next > now ? $"may be asked again at {next:u}" : "may be asked now");
                break;
        }
    }
}
