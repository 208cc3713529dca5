using System.Collections.Immutable;
using Grains.Books;
using Grains.Crawling.Archive;
using Grains.Crawling.Frontier;
using Grains.Crawling.Results;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling;

/// <summary>
/// The sweep over the hosts: tells them the crawl as it is, pulls their sums, shares out the limit of pages, finds the end.
/// </summary>
public sealed partial class CrawlGrain
{
    private void StartSweeping()
    {
        if (_timer is not null || IsSettled)
        {
            return;
        }

        _timer = this.RegisterGrainTimer(
            OnTimer,
            new GrainTimerCreationOptions(SweepPeriod, SweepPeriod) { Interleave = true, KeepAlive = true }
        );
    }

    private async Task OnTimer(CancellationToken cancel)
    {
        try
        {
            await Sweep();
        }
        catch (Exception e)
        {
            // A host did not answer, or the head went to another activation: the next round tries again, or there is none.
            _note = $"The last round over the hosts failed: {e.Message}";
            LogSweepFailed(Id, e);
        }

        if (IsSettled)
        {
            _timer?.Dispose();
            _timer = null;
        }
        else
        {
            // A round of a thousand hosts a second, so that many hosts are not asked all the time.
            _timer?.Change(SweepPeriod + TimeSpan.FromMilliseconds(_hosts.Count), SweepPeriod);
        }
    }

    /// <summary>One round; whoever asks while one is under way waits for that one.</summary>
    private Task Sweep()
    {
        if (_sweep is { IsCompleted: false })
        {
            return _sweep;
        }

        return _sweep = _head switch
        {
            null => Task.CompletedTask,
            _ when IsSettled => Task.CompletedTask,
            { Order.State: CrawlState.Deleting } => Remove(),
            { EndReason: { } reason } => EndHosts(reason),
            _ => Pull(),
        };
    }

    /// <summary>A round that tells the hosts what was just saved: one that is under way may have asked some of them before.</summary>
    private async Task SweepAnew()
    {
        await SweepEnded();
        await Sweep();
    }

    /// <summary>After a restart nothing is known before the first round; a host that does not answer is told by the note.</summary>
    private async Task HaveSums()
    {
        if (_hasSums || IsSettled || _head?.Order.State == CrawlState.Deleting)
        {
            return;
        }

        try
        {
            await Sweep();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _note = $"The last round over the hosts failed: {e.Message}";
        }
    }

    private async Task Pull()
    {
        var order = _head!.Order;
        var seeded = _head.Seeded;
        var sums = await OverHosts((host, grain) => grain.Sums(order, _hosts[host], CancellationToken.None));
        var total = Total(sums.Values);
        _sums = total;
        _hasSums = true;
        _note = total.Note;
        if (_head!.Order != order || !seeded)
        {
            _balancedBefore = null;
            return;
        }

        if (!order.KeptFull && order.Spec.Keep != KeepPages.None && total.KeptBytes >= order.Spec.MaxKeptBytes)
        {
            await Save(head => head with { Order = head.Order with { Version = head.Order.Version + 1, KeptFull = true } });
            return; // The next round tells the hosts.
        }

        if (order.Spec.MaxPages is { } most)
        {
            if (total.Done - total.Redirects >= most)
            {
                await Save(head => head with { EndReason = head.EndReason ?? Refusals.MaxPages });
                await EndHosts(_head.EndReason!);
                return;
            }

            await ShareOut(most, sums);
        }

        if (_head!.RevisitFrom is not null)
        {
            await Revisit();
            _balancedBefore = null;
            return;
        }

        // Two rounds with the same sums, in which all that came in is finished: nothing was on its way between hosts while we asked one
        // after the other.
        var isBalanced =
            total.Waiting == 0 && total.Added == total.Done + total.Refused.Values.Sum() && _adding == 0 && !await SeedsFollow();
        if (isBalanced && _balancedBefore is { } before && before.Added == total.Added && before.Done == total.Done)
        {
            // Hosts are told too: a crawl that is done must not slow down the next one, nor take in what comes late.
            await Save(head => head with { EndReason = head.EndReason ?? Refusals.CrawlDone });
            await EndHosts(_head.EndReason!);
            return;
        }

        _balancedBefore = isBalanced ? total : null;
    }

    /// <summary>
    /// The limit of pages goes to hosts in portions that are stored before they are told. Hosts that wait get more; what hosts without work
    /// have left over is taken back.
    /// </summary>
    private async Task ShareOut(long most, Dictionary<HostKey, HostSums> sums)
    {
        var mayFindHosts = _head!.Order.Spec is { Scope: CrawlScope.Domain or CrawlScope.Any } or { MoreSeeds: true };
        var shares = PageShares.Divide(most, mayFindHosts, sums.ToDictionary(host => host.Key, host => (_hosts[host.Key], host.Value)));
        foreach (var some in shares.Chunk(StoreLimits.MaxCommitRows - 1))
        {
            await Save(
                head => head,
                some.Select(share => RowChange.Put(HostRow(share.Key), CrawlJson.Write(new ListedHost(share.Key.Value, share.Value))))
            );
            foreach (var (host, allowance) in some)
            {
                _hosts[host] = allowance;
            }
        }

        // Those who got more need not wait for the next round to hear of it.
        await Task.WhenAll(
            shares.Select(share =>
                GrainFactory.GetGrain<IHostGrain>(share.Key.Value).Sums(_head!.Order, share.Value, CancellationToken.None)
            )
        );
    }

    private async Task EndHosts(string reason)
    {
        var order = _head!.Order;
        var total = Total((await OverHosts((_, grain) => grain.End(order, reason, CancellationToken.None))).Values);
        await Finish(total);
    }

    private async Task Finish(HostSums total)
    {
        _sums = total;
        _note = null;
        var seeds = _head!.Order.State == CrawlState.Deleting ? null : await SeedOutcomes.Read(store, _head.Order, CancellationToken.None);
        await Save(head =>
            head with
            {
                Order = head.Order.State is CrawlState.Cancelled or CrawlState.Deleting ? head.Order : Next(CrawlState.Done),
                EndedAt = clock.GetUtcNow(),
                Ran = Ran,
                RunningSince = null,
                Sums = total,
                Seeds = seeds,
            }
        );
        var skipped = total.Refused.Values.Sum() - total.Failed;
        LogEnded(Id, _head!.Order.State, total.Done, total.Failed, skipped);
    }

    /// <summary>
    /// Hosts' rows, then the list of hosts, then the head, then the place in the list of crawls: after a crash it goes on where it was.
    /// </summary>
    private async Task Remove()
    {
        foreach (var some in _hosts.Keys.ToList().Chunk(StoreLimits.MaxCommitRows))
        {
            foreach (var host in some)
            {
                var grain = GrainFactory.GetGrain<IHostGrain>(host.Value);
                await grain.End(_head!.Order, Refusals.Cancelled, CancellationToken.None);
                while (!await grain.Delete(Id, CancellationToken.None)) { }
            }

            MustBeCommitted(await store.Commit(CrawlTable.Name, Partition, [.. some.Select(host => RowChange.Delete(HostRow(host)))]));
            foreach (var host in some)
            {
                _hosts.Remove(host);
            }
        }

        await new PageSweep(store, blobs, Id).RemoveAll(CancellationToken.None);
        await List.Forget(Id, CancellationToken.None);
        MustBeCommitted(await store.Commit(CrawlTable.Name, Partition, [RowChange.Delete(PartitionWriter.HeadKey)]));
        _head = null;
        _headETag = null;
        DeactivateOnIdle();
    }

    private async Task<Dictionary<HostKey, HostSums>> OverHosts(Func<HostKey, IHostGrain, Task<HostSums>> ask)
    {
        var sums = new Dictionary<HostKey, HostSums>(_hosts.Count);
        foreach (var some in _hosts.Keys.ToList().Chunk(HostsAtOnce))
        {
            var answers = await Task.WhenAll(some.Select(host => ask(host, GrainFactory.GetGrain<IHostGrain>(host.Value))));
            foreach (var (host, answer) in some.Zip(answers))
            {
                sums.Add(host, answer);
            }
        }

        return sums;
    }

    private static HostSums Total(IEnumerable<HostSums> hosts)
    {
        var total = Zero;
        foreach (var sums in hosts)
        {
            total = new(
                total.Added + sums.Added,
                total.Done + sums.Done,
                total.Refused.Plus(sums.Refused),
                total.Failed + sums.Failed,
                total.Waiting + sums.Waiting,
                total.Bytes + sums.Bytes,
                total.Used + sums.Used,
                total.WantsMore || sums.WantsMore
            )
            {
                Truncated = total.Truncated + sums.Truncated,
                Note = total.Note ?? sums.Note,
                ToKeep = total.ToKeep + sums.ToKeep,
                Kept = total.Kept + sums.Kept,
                KeptBytes = total.KeptBytes + sums.KeptBytes,
                NotKept = total.NotKept + sums.NotKept,
                Redirects = total.Redirects + sums.Redirects,
                Cut = total.Cut + sums.Cut,
                Traps = CrawlTrap.Both(total.Traps, sums.Traps),
                Changes = sums.Changes is { } changes
                    ? (total.Changes ?? ImmutableSortedDictionary<string, long>.Empty).Plus(changes)
                    : total.Changes,
            };
        }

        return total;
    }
}
