using Grains.Crawling.Archive;
using Grains.Crawling.Frontier;
using Grains.Crawling.Results;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Lifecycle;

/// <summary>
/// The rounds over a crawl's hosts: one tells them the crawl as it is, pulls their sums, shares out the limit of pages, and finds the end.
/// </summary>
/// <remarks>
/// A round interleaves with calls of the crawl, so that nobody waits for slow hosts: it looks at the head again after each await.
/// </remarks>
/// <param name="ended">Called when all hosts have ended the crawl.</param>
/// <param name="forget">Takes the crawl, whose rows are gone, off the list of crawls.</param>
internal sealed class HostRounds(
    ITableStore store,
    IBlobStore blobs,
    CrawlPartition crawl,
    CrawlProgress progress,
    Func<HostKey, IHostGrain> hostOf,
    TimeProvider clock,
    Action ended,
    Func<Task> forget
)
{
    /// <summary>Between two rounds of few hosts.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    /// <summary>Hosts asked at once in a round.</summary>
    private const int HostsAtOnce = 64;

    /// <summary>Until the next round, unless one takes longer: then as long as it took.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1.5);

    private readonly RevisitPass _revisits = new(store, crawl, hostOf);
    private Task? _round;

    /// <summary>
    /// How long to rest after a round: few hosts are asked again at once, many no more than half of the time, so that what is shown of them
    /// is a few seconds old and asking them takes little from fetching.
    /// </summary>
    /// <param name="took">The round that has ended.</param>
    public static TimeSpan RestAfter(int hosts, TimeSpan took)
    {
        var most = Period + TimeSpan.FromMilliseconds(hosts);
        var rest = took > Rest ? took : Rest;
        return rest < most ? rest : most;
    }

    /// <summary>One round; whoever asks while one is under way waits for that one.</summary>
    public Task Run()
    {
        if (_round is { IsCompleted: false })
        {
            return _round;
        }

        return _round = crawl.Head switch
        {
            var head when CrawlLifecycle.IsSettled(head) => Task.CompletedTask,
            { Order.State: CrawlState.Deleting } => Remove(),
            { EndReason: { } reason } => EndHosts(reason),
            _ => Pull(),
        };
    }

    /// <summary>A round that tells the hosts what was just saved: one that is under way may have asked some of them before.</summary>
    public async Task RunAnew()
    {
        await Ended();
        await Run();
    }

    /// <summary>Completes when no round is under way; its failure is told to whoever began it.</summary>
    public async Task Ended()
    {
        if (_round is { IsCompleted: false } round)
        {
            await round.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>After a restart nothing is known before the first round; a host that does not answer is told by the note.</summary>
    public async Task HaveSums()
    {
        if (progress.IsKnown || CrawlLifecycle.IsSettled(crawl.Head) || crawl.Head?.Order.State == CrawlState.Deleting)
        {
            return;
        }

        try
        {
            await Run();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            progress.OnFailed(e);
        }
    }

    private async Task Pull()
    {
        var order = crawl.Head!.Order;
        var seeded = crawl.Head.Seeded;
        var sums = await OverHosts((host, grain) => grain.Sums(order, crawl.Hosts[host], CancellationToken.None));
        var total = HostTotals.Of(sums.Values);
        progress.OnPulled(total);
        if (crawl.Head!.Order != order || !seeded)
        {
            progress.Unbalance();
            return;
        }

        if (!order.KeptFull && order.Spec.Keep != KeepPages.None && total.KeptBytes >= order.Spec.MaxKeptBytes)
        {
            await crawl.Save(CrawlLifecycle.KeepNoMore);
            return; // The next round tells the hosts.
        }

        if (order.Spec.MaxPages is { } most)
        {
            if (total.Done - total.Redirects >= most)
            {
                await End(Refusals.MaxPages);
                return;
            }

            await ShareOut(most, sums);
        }

        if (crawl.Head!.RevisitFrom is not null)
        {
            await _revisits.Run();
            progress.Unbalance();
            return;
        }

        if (progress.Confirm(progress.IsBalanced && !await SeedsFollow()))
        {
            // Hosts are told too: a crawl that is done must not slow down the next one, nor take in what comes late.
            await End(Refusals.CrawlDone);
        }
    }

    /// <summary>
    /// The limit of pages goes to hosts in portions that are stored before they are told. Hosts that wait get more; what hosts without work
    /// have left over is taken back.
    /// </summary>
    private async Task ShareOut(long most, Dictionary<HostKey, HostSums> sums)
    {
        var mayFindHosts = crawl.Head!.Order.Spec is { Scope: CrawlScope.Domain or CrawlScope.Any } or { MoreSeeds: true };
        var known = sums.ToDictionary(host => host.Key, host => (crawl.Hosts[host.Key], host.Value));
        var shares = PageShares.Divide(most, mayFindHosts, known);
        await crawl.Allow(shares);

        // Those who got more need not wait for the next round to hear of it.
        await Task.WhenAll(shares.Select(share => hostOf(share.Key).Sums(crawl.Head!.Order, share.Value, CancellationToken.None)));
    }

    /// <summary>Further seeds follow. When none has come for long, none does: then the crawl may end.</summary>
    private async Task<bool> SeedsFollow()
    {
        if (crawl.Head is not { SeedsFollow: true })
        {
            return false;
        }

        var until = progress.SeededAt + ICrawlGrain.SeedsTimeout;
        if (until <= clock.GetUtcNow())
        {
            await crawl.Save(head => head with { SeedsFollow = false });
            return false;
        }

        progress.WaitsForSeeds(crawl.Id, until);
        return true;
    }

    private async Task End(string reason)
    {
        await crawl.Save(head => CrawlLifecycle.End(head, reason));
        await EndHosts(crawl.Head!.EndReason!);
    }

    private async Task EndHosts(string reason)
    {
        var order = crawl.Head!.Order;
        var total = HostTotals.Of((await OverHosts((_, grain) => grain.End(order, reason, CancellationToken.None))).Values);
        progress.OnEnded(total);
        var seeds =
            crawl.Head!.Order.State == CrawlState.Deleting
                ? null
                : await SeedOutcomes.Read(store, crawl.Head.Order, CancellationToken.None);
        await crawl.Save(head => CrawlLifecycle.Finish(head, total, seeds, clock.GetUtcNow()));
        ended();
    }

    /// <summary>
    /// Hosts' rows, then the list of hosts, then the kept pages, then the place in the list of crawls, then the head: after a crash it goes
    /// on where it was.
    /// </summary>
    private async Task Remove()
    {
        foreach (var some in crawl.Hosts.Keys.ToList().Chunk(StoreLimits.MaxCommitRows))
        {
            foreach (var host in some)
            {
                var grain = hostOf(host);
                await grain.End(crawl.Head!.Order, Refusals.Cancelled, CancellationToken.None);
                while (!await grain.Delete(crawl.Id, CancellationToken.None)) { }
            }

            await crawl.Unlist(some);
        }

        await new PageSweep(store, blobs, crawl.Id).RemoveAll(CancellationToken.None);
        await forget();
        await crawl.Delete();
    }

    private async Task<Dictionary<HostKey, HostSums>> OverHosts(Func<HostKey, IHostGrain, Task<HostSums>> ask)
    {
        var sums = new Dictionary<HostKey, HostSums>(crawl.Hosts.Count);
        foreach (var some in crawl.Hosts.Keys.ToList().Chunk(HostsAtOnce))
        {
            var answers = await Task.WhenAll(some.Select(host => ask(host, hostOf(host))));
            foreach (var (host, answer) in some.Zip(answers))
            {
                sums.Add(host, answer);
            }
        }

        return sums;
    }
}
