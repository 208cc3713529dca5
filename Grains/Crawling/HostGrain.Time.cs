using System.Runtime.CompilerServices;
using Grains.Crawling.Frontier;
using Grains.Crawling.Hosts;
using Grains.Crawling.Workers;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling;

/// <summary>What goes on without a caller: time passes, workers are told, and a commit that failed ends the activation.</summary>
public sealed partial class HostGrain
{
    private IGrainTimer? _timer;
    private DateTimeOffset _timerDue = DateTimeOffset.MaxValue;

    /// <summary>The time by both clocks; what a predecessor's leases held up goes on when they are over.</summary>
    private HostTime Now()
    {
        var at = clock.GetUtcNow();
        var now = new HostTime(at, ReferenceEquals(clock, guards) ? at : guards.GetUtcNow()); // Where it is one clock, it is one moment.
        _politeness.EndInherited(now);
        return now;
    }

    /// <summary>
    /// What time has brought: leases that ended, URLs whose time has come, workers to tell. Sets the timer for the next such moment.
    /// </summary>
    private void Pump()
    {
        if (IsEnding)
        {
            return;
        }

        var now = Now();
        foreach (var over in _leases.EndOver(now))
        {
            metrics.OnLeaseExpired();
            LogExpired(Host, over.Url, over.Crawl);
            if (over is { Partition: { } from, Work: { } work })
            {
                Observe(ThenPump(Commit(from, from.Writer.Commit(work))));
            }
        }

        foreach (var partition in _crawls.Open.Where(partition => partition.WantsRefill))
        {
            Observe(ThenPump(partition.Refill()));
        }

        foreach (var partition in _crawls.Open)
        {
            if (partition.Loaded.IsCompletedSuccessfully && partition.Crawl.EndSpent(now.Schedule) is { } end)
            {
                Observe(ThenPump(EndSpent(partition, end)));
            }
        }

        if (_fairness.HasIdleTurn(now))
        {
            _politeness.Address.PutOff(now.Schedule);
        }

        if (_politeness.Address.ToGiveBack(now.Schedule) is var turn and not 0)
        {
            Observe(ThenPump(_turns.GiveBack(turn, _stop)));
        }
        else if (_fairness.WantsTurn(now))
        {
            Observe(ThenPump(_turns.Take(_politeness.Clock.Delay, _crawls.Open.Max(partition => partition.Crawl.HeldFor), _stop)));
        }

        foreach (var (worker, ready) in _fairness.Chances(now))
        {
            Publish(StreamId.Create(CrawlStreams.Ready, worker), ready);
        }

        SetTimer(_fairness.Next(now), now.Schedule);
        TellLoad();
    }

    /// <summary>A crawl that takes no more of this host sets its pace no longer.</summary>
    private async Task EndSpent(HostPartition partition, IPartitionWork end)
    {
        await Commit(partition, partition.Writer.Commit(end));
        _crawls.SetPace();
    }

    private void TellLoad()
    {
        long waiting = 0,
            leased = 0,
            commits = 0,
            bytes = 0;
        foreach (var partition in _crawls.Open)
        {
            waiting += partition.Crawl.Waiting;
            leased += partition.Crawl.Queue.Leased;
            commits += partition.Writer.Waiting;
            bytes += partition.Crawl.MemoryBytes;
        }

        _load.Is(waiting, leased, commits, bytes);
    }

    /// <summary>Tells who wants to know what became of pages. An event that is lost is lost: the rows have it.</summary>
    private void Announce()
    {
        foreach (var partition in _crawls.Open)
        {
            foreach (var pages in Announcements.Split(partition.Crawl.TakeFinished()))
            {
                Publish(
                    StreamId.Create(CrawlStreams.Pages, Announcements.Partition(Host)),
                    new PagesFinished(partition.Crawl.Order.Id, Host, pages)
                );
            }
        }
    }

    /// <summary>An event that is lost costs time: who has work is found again, and the rows have what was finished.</summary>
    private void Publish<T>(StreamId stream, T published)
    {
        Observe(Try());

        async Task Try()
        {
            try
            {
                await this.GetStreamProvider(CrawlStreams.Provider).GetStream<T>(stream).OnNextAsync(published);
            }
            catch (Exception e)
            {
                LogNotPublished(Host, typeof(T).Name, e);
            }
        }
    }

    private void SetTimer(DateTimeOffset due, DateTimeOffset now)
    {
        if (due == DateTimeOffset.MaxValue || (_timerDue > now && _timerDue <= due))
        {
            return;
        }

        _timerDue = due;
        var wait = due - now;
        _timer!.Change(wait > TimeSpan.FromMilliseconds(1) ? wait : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }

    private Task OnTimer(CancellationToken cancel)
    {
        _timerDue = DateTimeOffset.MaxValue;
        Pump();
        return Task.CompletedTask;
    }

    private async Task ThenPump(Task first)
    {
        await first;
        Pump();
    }

    private void Opened(HostPartition partition)
    {
        if (partition.PredecessorsHorizon > guards.GetUtcNow())
        {
            LogWaitsForPredecessor(Host, partition.PredecessorsHorizon);
        }

        Observe(WhenLoaded(partition));
    }

    private void SiloDied(string dead)
    {
        if (!IsEnding)
        {
            _leases.SiloDied(dead, guards.GetUtcNow() + IMembershipLease.Duration);
            Observe(EndPredecessors());
            Pump();
        }
    }

    /// <summary>
    /// Where a predecessor's silo is dead, what it granted out is not waited for longer than it may last: until no silo that died has a
    /// request under way, and each worker of those that live has given up what it holds. Who does not answer is waited for by the horizon.
    /// </summary>
    private async Task EndPredecessors()
    {
        try
        {
            while (_politeness.HasInherited(Now()) && _crawls.PredecessorsAreDead(deaths.IsDead))
            {
                // Another silo may die meanwhile: what its workers hold is to end as well.
                var quiet = deaths.SinceLast;
                if (quiet < IMembershipLease.Duration)
                {
                    await Task.Delay(IMembershipLease.Duration - quiet, guards, _stop);
                    continue;
                }

                await Task.WhenAll(Enumerable.Range(0, options.Value.Workers).SelectMany(GiveUp));
                if (deaths.SinceLast < IMembershipLease.Duration)
                {
                    continue;
                }

                LogPredecessorsEnded(Host);
                _politeness.EndInheritedEarly(Now());
                _crawls.ForgetPredecessors();
                Pump();
            }
        }
        catch (OperationCanceledException) when (IsEnding)
        {
            // The next activation finds the horizon that is stored.
        }
        catch (Exception e)
        {
            // A worker that cannot be reached, or whose silo is of a version that knows no such call.
            LogPredecessorsNotEnded(Host, e);
        }

        IEnumerable<Task> GiveUp(int worker) =>
            _crawls.Open.Select(partition =>
                GrainFactory.GetGrain<ICrawlWorkerGrain>(worker).GiveUp(Host, partition.Crawl.Order.Id, partition.Crawl.FirstLease, _stop)
            );
    }

    private async Task WhenLoaded(HostPartition partition)
    {
        try
        {
            await partition.Loaded;
        }
        catch
        {
            // Without what is known it can neither take URLs in nor hand them out: the next activation reads again.
            End(partition.Crawl.Order.Id, "its rows could not be read");
            throw;
        }

        Pump();
    }

    /// <summary>Waits for commits. One that fails ends the activation: the next one starts from what is stored.</summary>
    private async Task Commit(HostPartition partition, params Task[] commits)
    {
        try
        {
            await Task.WhenAll(commits);
        }
        catch (PartitionLostException lost)
        {
            End(partition.Crawl.Order.Id, lost.Message);
            throw;
        }
    }

    private void End(CrawlId crawl, string why)
    {
        if (!IsEnding)
        {
            _stopping.Cancel();
            LogLost(Host, crawl, why);
            DeactivateOnIdle();
        }
    }

    /// <summary>For what nobody awaits: a failure ends the activation.</summary>
    private void Observe(Task work, [CallerArgumentExpression(nameof(work))] string what = "") => this.Observe(work, logger, _stop, what);
}
