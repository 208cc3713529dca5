using System.Diagnostics;
using System.Globalization;
using Doubles;
using Doubles.Net;
using Grains.Interfaces.Crawling;

namespace Benchmarks.Crawling;

/// <summary>Sites and crawls, also with more seeds than one call takes, and waiting for what is to happen in them.</summary>
internal static class CrawlLoad
{
    /// <summary>For what has to happen sooner or later; meant for a hang.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>A made site of so many pages, which counts what it is asked and keeps nothing of it.</summary>
    public static async Task<WebSite> Site(int pages)
    {
        var site = await WebSite.Start(LoopbackNetwork.Instance);
        site.Ledger.KeepsRequests = false;
        site.Pages = new BigSite(pages);
        return site;
    }

    /// <summary>Starts a crawl.</summary>
    public static async Task<ICrawlGrain> Start(IGrainFactory grains, CrawlSpec spec)
    {
        var reply = await grains.GetGrain<ICrawlListGrain>(0).Start(spec);
        return grains.GetGrain<ICrawlGrain>((reply.Id ?? throw new InvalidOperationException(string.Join(' ', reply.Errors))).Value);
    }

    /// <summary>Starts a crawl of the first thousand seeds, says that others follow, and pauses it if asked to.</summary>
    public static async Task<ICrawlGrain> Start(IGrainFactory grains, CrawlSpec spec, IEnumerable<string> seeds, bool isPaused)
    {
        var batches = seeds.Chunk(CrawlSpec.MaxSeeds).GetEnumerator();
        if (!batches.MoveNext())
        {
            throw new ArgumentException("A crawl has a seed.", nameof(seeds));
        }

        var crawl = await Start(grains, spec with { Seeds = [.. batches.Current], MoreSeeds = true });
        if (isPaused)
        {
            await crawl.Pause();
        }

        while (batches.MoveNext())
        {
            var added = await crawl.Add([.. batches.Current]);
            if (added.Closed is not null || added.Refused > 0)
            {
                throw new InvalidOperationException($"Of {batches.Current.Length} seeds {added.Refused} were refused. {added.Closed}");
            }
        }

        if ((await crawl.EndSeeds()).Error is { } error)
        {
            throw new InvalidOperationException(error);
        }

        return crawl;
    }

    /// <summary>Waits until it is so.</summary>
    /// <param name="what">For the exception when it does not happen: "each host is asked for a page".</param>
    public static Task Until(Func<bool> isSo, string what) => Until(() => Task.FromResult(isSo()), what);

    /// <inheritdoc cref="Until(Func{bool}, string)"/>
    public static async Task Until(Func<Task<bool>> isSo, string what)
    {
        using var timer = new PeriodicTimer(Look);
        var since = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(since) > Patience)
            {
                throw new TimeoutException(
                    string.Create(CultureInfo.InvariantCulture, $"It was waited {Patience.TotalMinutes:0} minutes until {what}.")
                );
            }

            await timer.WaitForNextTickAsync();
        }
    }
}
