using System.Globalization;
using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling;

/// <summary>What a host says of one URL, in lines a person can read.</summary>
internal static class Explanations
{
    public const string State = "state";

    public static IEnumerable<ExplainLine> Of(UrlRow? row, string url, HostCrawl? crawl, DateTimeOffset now, DateTimeOffset? mayBeAsked)
    {
        if (row is null)
        {
            yield return new(State, "not found");
            yield return new("found", "no page of this crawl that was fetched links to it");
            yield break;
        }

        yield return new("found", row.Parent is { } parent ? $"on {parent}, {row.Depth} step(s) from a seed" : "it is a seed");
        yield return new("attempts", row.Attempts.ToString(CultureInfo.InvariantCulture));
        switch (row.State)
        {
            case UrlState.Fetched:
                yield return new(State, "fetched");
                yield return new("answer", $"{row.Page?.Status} {row.Page?.ContentType}, {row.Page?.Bytes} bytes at {row.Page?.FetchedAt:u}");
                break;
            case UrlState.Failed:
                yield return new(State, "failed");
                yield return new("why", row.Page?.Error ?? row.Reason ?? "");
                break;
            case UrlState.Skipped:
                yield return new(State, "skipped");
                yield return new("why", row.Reason ?? "");
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
