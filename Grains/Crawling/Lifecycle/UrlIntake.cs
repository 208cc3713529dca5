using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Specs;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Lifecycle;

/// <summary>Brings URLs that come beside a crawl's links to their hosts: seeds, and those that somebody adds.</summary>
internal sealed class UrlIntake(CrawlPartition crawl, CrawlProgress progress, Func<HostKey, IHostGrain> hostOf, TimeProvider clock)
{
    /// <summary>
    /// Hosts are listed, then given their seeds, then it is noted: after a crash it is done again, and what is there stays.
    /// </summary>
    public async Task Seed(CancellationToken cancel)
    {
        var seeds = crawl
            .Head!.Order.Spec.Seeds.Select(seed =>
                CanonicalUrl.TryParse(seed, baseUrl: null, out var url)
                    ? url
                    : throw new FormatException($"The seed \"{seed}\" of crawl {crawl.Id} is no URL.")
            )
            .GroupBy(seed => seed.HostKey)
            .ToList();
        if (await crawl.Enlist([.. seeds.Select(host => host.Key)]) is not { } enlisted)
        {
            return;
        }

        await Task.WhenAll(
            seeds.Select(host =>
                hostOf(host.Key).Add(enlisted.Order, [.. host.Select(seed => new FoundUrl(seed.Text, Depth: 0, Parent: null))], cancel)
            )
        );
        await crawl.Save(head => head with { Seeded = true });
    }

    /// <inheritdoc cref="ICrawlGrain.Add"/>
    public async Task<AddUrlsReply> Add(ImmutableArray<string> urls, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(urls.Length, CrawlSpec.MaxSeeds);
        if (crawl.Head is not { EndReason: null, Seeded: true } head || !CrawlBoundary.TryCreate(head.Order.Spec, out var boundary, out _))
        {
            return new(0, 0, urls.Length, [], CrawlLifecycle.WhyNotAdded(crawl.Id, crawl.Head));
        }

        progress.BeginAdding();
        try
        {
            progress.SeededAt = clock.GetUtcNow();
            return await Deliver(AddedUrls.Of(urls, boundary, asSeeds: head.SeedsFollow), cancel);
        }
        finally
        {
            progress.EndAdding();
        }
    }

    private async Task<AddUrlsReply> Deliver(AddedUrls added, CancellationToken cancel)
    {
        if (await crawl.Enlist([.. added.ByHost.Keys]) is not { } enlisted)
        {
            return new(0, 0, added.Count + added.Refused, [], $"Crawl {crawl.Id} has ended and takes no URLs.");
        }

        var replies = await Task.WhenAll(
            added
                .ByHost.Where(host => !enlisted.NotListed.Contains(host.Key))
                .Select(host => hostOf(host.Key).Add(enlisted.Order, host.Value, cancel))
        );
        var unlisted = enlisted.NotListed.Sum(host => added.ByHost[host].Length);
        var refused = replies.Sum(reply => reply.Refused);
        var fresh = replies.Sum(reply => reply.New) - refused;
        return new(
            fresh,
            added.Count - unlisted - replies.Sum(reply => reply.New),
            added.Refused + unlisted + refused,
            unlisted == 0
                ? added.Errors
                : added.Errors.Add(
                    $"{unlisted} are on hosts beyond the {ICrawlGrain.MaxHosts} that a crawl may have ({Refusals.TooManyHosts})."
                ),
            Closed: null
        );
    }
}
