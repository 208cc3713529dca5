using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>
/// What goes on at a host without a caller: leases end, URLs become due, workers are told, turns at the address are taken and given back;
/// and a commit that fails ends the activation. Not thread-safe: it belongs to a grain and runs on its scheduler.
/// </summary>
internal sealed class HostPump(
    HostKey host,
    HostCrawls crawls,
    Politeness politeness,
    CrawlFairness fairness,
    HostLeases leases,
    AddressTurns turns,
    HostCallbacks callbacks,
    TimeProvider clock,
    TimeProvider guards,
    CancellationToken stop
)
{
    /// <summary>The activation ends: nothing is begun any more.</summary>
    public bool IsEnding => stop.IsCancellationRequested;

    /// <summary>The time by both clocks; what a predecessor's leases held up goes on when they are over.</summary>
    public HostTime Now()
    {
        var at = clock.GetUtcNow();
        var now = new HostTime(at, ReferenceEquals(clock, guards) ? at : guards.GetUtcNow()); // Where it is one clock, it is one moment.
        politeness.EndInherited(now);
        return now;
    }

    /// <summary>Does what time has brought, and has itself called at the next such moment.</summary>
    public void Run()
    {
        if (IsEnding)
        {
            return;
        }

        var now = Now();
        foreach (var over in leases.EndOver(now))
        {
            callbacks.Expired(over);
            if (over is { Partition: { } from, Work: { } work })
            {
                callbacks.Observe(Then(Commit(from, from.Writer.Commit(work))));
            }
        }

        foreach (var partition in crawls.Open.Where(partition => partition.WantsRefill))
        {
            callbacks.Observe(Then(partition.Refill()));
        }

        foreach (var partition in crawls.Open)
        {
            if (partition.Loaded.IsCompletedSuccessfully && partition.Crawl.EndSpent(now.Schedule) is { } end)
            {
                callbacks.Observe(Then(EndSpent(partition, end)));
            }
        }

        TakeTurns(now);
        foreach (var (worker, ready) in fairness.Chances(now))
        {
            callbacks.Ready(worker, ready);
        }

        callbacks.WakeAt(fairness.Next(now), now.Schedule);
        callbacks.Load(crawls.Load());
    }

    /// <summary>Runs when something has ended.</summary>
    public async Task Then(Task first)
    {
        await first;
        Run();
    }

    /// <summary>Waits for commits. One that fails ends the activation: the next one starts from what is stored.</summary>
    public async Task Commit(HostPartition partition, params Task[] commits)
    {
        try
        {
            await Task.WhenAll(commits);
        }
        catch (PartitionLostException lost)
        {
            callbacks.Lost(partition.Crawl.Order.Id, lost.Message);
            throw;
        }
    }

    /// <summary>Runs when what is known of a crawl is in memory.</summary>
    public async Task WhenLoaded(HostPartition partition)
    {
        try
        {
            await partition.Loaded;
        }
        catch
        {
            // Without what is known it can neither take URLs in nor hand them out: the next activation reads again.
            callbacks.Lost(partition.Crawl.Order.Id, "its rows could not be read");
            throw;
        }

        Run();
    }

    /// <summary>Tells who wants to know what became of pages. An event that is lost is lost: the rows have it.</summary>
    public void Announce()
    {
        foreach (var partition in crawls.Open)
        {
            foreach (var pages in Announcements.Split(partition.Crawl.TakeFinished()))
            {
                callbacks.Finished(new(partition.Crawl.Order.Id, host, pages));
            }
        }
    }

    /// <summary>A crawl that takes no more of this host sets its pace no longer.</summary>
    private async Task EndSpent(HostPartition partition, IPartitionWork end)
    {
        await Commit(partition, partition.Writer.Commit(end));
        crawls.SetPace();
    }

    private void TakeTurns(HostTime now)
    {
        if (fairness.HasIdleTurn(now))
        {
            politeness.Address.PutOff(now.Schedule);
        }

        if (politeness.Address.ToGiveBack(now.Schedule) is var turn and not 0)
        {
            callbacks.Observe(Then(turns.GiveBack(turn, stop)));
        }
        else if (fairness.WantsTurn(now))
        {
            var longest = crawls.Open.Max(partition => partition.Crawl.HeldFor);
            callbacks.Observe(Then(turns.Take(politeness.Clock.Delay, longest, stop)));
        }
    }
}
