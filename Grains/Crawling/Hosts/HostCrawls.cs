using Grains.Crawling.Cookies;
using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>
/// The crawls that have work on one host: each is opened once however many ask, listed in the host's partition before its first row, and
/// sets the host's pace.
/// One that was deleted is not made again (<see cref="DeletedCrawls"/>). Not thread-safe: it belongs to a grain and runs on its scheduler.
/// </summary>
/// <param name="guards">For leases, and for what may still be on its way of a crawl that was deleted.</param>
/// <param name="silo">Where this activation is.</param>
/// <param name="opened">Called as soon as a crawl is here; what is known of it may still be loading.</param>
internal sealed class HostCrawls(
    ITableStore store,
    HostKey host,
    Politeness politeness,
    HostSettings settings,
    RetryPolicy retries,
    TimeProvider guards,
    string silo,
    Action<HostPartition> opened
)
{
    /// <summary>Commits of rows to delete in one call.</summary>
    private const int DeletesAtOnce = 100;

    private readonly Dictionary<CrawlId, HostPartition> _open = [];
    private readonly Dictionary<CrawlId, Task<HostPartition?>> _opening = [];
    private readonly string _hostPartition = CrawlTable.Host(host);

    public IReadOnlyCollection<HostPartition> Open => _open.Values;

    public DeletedCrawls Deleted { get; } = new();

    /// <summary>The crawl if it is open already.</summary>
    public HostPartition? Find(CrawlId id) => _open.GetValueOrDefault(id);

    /// <summary>Takes what a predecessor stored, then opens the crawls that it listed.</summary>
    public async Task Restore(CancellationToken cancel)
    {
        var listed = new List<CrawlId>();
        var range = KeyRange.All;
        IReadOnlyList<TableRow> rows;
        do
        {
            rows = await store.Scan(CrawlTable.Name, _hostPartition, range, StoreLimits.MaxScan, cancel);
            foreach (var row in rows)
            {
                politeness.Restore(row);
                Deleted.Restore(row);
                if (row.Key.StartsWith(CrawlTable.CrawlPrefix, StringComparison.Ordinal))
                {
                    listed.Add(CrawlId.Parse(row.Key[CrawlTable.CrawlPrefix.Length..]));
                }
            }

            range = rows.Count == 0 ? range : range.After(rows[^1].Key);
        } while (rows.Count == StoreLimits.MaxScan);

        // Only now: a crawl that is opened hands out leases by the pace that was restored.
        foreach (var id in listed)
        {
            if (await Get(id) is { Crawl.Ended: true } partition && partition.PredecessorsHorizon <= guards.GetUtcNow())
            {
                await Unlist(id, CancellationToken.None);
            }
        }
    }

    /// <summary>
    /// The activation ends: the horizons shrink to the leases that are out, so that a successor waits for those and not for those that
    /// might have been.
    /// </summary>
    /// <param name="leftEarly">Told why a horizon stays as it is.</param>
    public async Task Leave(Action<string> leftEarly, CancellationToken cancel)
    {
        foreach (
            var partition in _open.Values.Where(partition =>
                partition.Writer.Lost is null && !partition.Crawl.Ended && partition.Crawl.Sums().Waiting > 0
            )
        )
        {
            partition.Crawl.LeaseNoMore();
            try
            {
                await partition.Writer.CommitHead().WaitAsync(cancel);
            }
            catch (Exception e) when (e is PartitionLostException or OperationCanceledException)
            {
                leftEarly(e.Message);
            }
        }
    }

    /// <summary>What the host has at the moment.</summary>
    public HostLoads Load()
    {
        var load = default(HostLoads);
        foreach (var partition in _open.Values)
        {
            load = new(
                load.Waiting + partition.Crawl.Waiting,
                load.Leased + partition.Crawl.Queue.Leased,
                load.Commits + partition.Writer.Waiting,
                load.Bytes + partition.Crawl.MemoryBytes
            );
        }

        return load;
    }

    /// <summary>Each activation whose leases may last was in a silo that is dead.</summary>
    public bool PredecessorsAreDead(Func<string?, bool> isDead)
    {
        var now = guards.GetUtcNow();
        var inherited = _open.Values.Where(partition => partition.PredecessorsHorizon > now).ToList();
        return inherited.Count > 0 && inherited.All(partition => isDead(partition.PredecessorsSilo));
    }

    /// <summary>What they handed out is over.</summary>
    public void ForgetPredecessors()
    {
        foreach (var partition in _open.Values)
        {
            partition.Crawl.ForgetPredecessor();
        }
    }

    /// <summary>The crawl, opened if it is not yet; null when it has nothing here.</summary>
    public Task<HostPartition?> Get(CrawlId id) => GetOrMake(id, order: null);

    /// <summary>
    /// The crawl, made with <paramref name="order"/> if it has nothing here; null when it was deleted, also while it was made.
    /// </summary>
    public async Task<HostPartition?> GetOrMake(CrawlOrder order)
    {
        var partition = Deleted.Contains(order.Id) ? null : await GetOrMake(order.Id, order);
        return Deleted.Contains(order.Id) ? null : partition;
    }

    /// <summary>
    /// The crawl has no work here any more. If this is not stored, a successor finds that it has ended, and does it again.
    /// </summary>
    public async Task Unlist(CrawlId id, CancellationToken cancel) =>
        await store.Commit(CrawlTable.Name, _hostPartition, [RowChange.Delete(CrawlTable.CrawlPrefix + id), Clock()], cancel);

    /// <summary>
    /// The crawl goes on here though it had ended: listed again first, so that a successor finds it. See
    /// <see cref="HostPartition.Reopen"/>.
    /// </summary>
    public async Task Reopen(HostPartition partition, CrawlOrder order)
    {
        await List(order.Id);
        await partition.Reopen(order);
        politeness.Robots.ForgetFailures();
        SetPace();
    }

    /// <summary>The host asked not to be asked for a while: a successor is to know it too.</summary>
    public async Task StoreClock() => await store.Commit(CrawlTable.Name, _hostPartition, [Clock()]);

    /// <summary>A robots.txt that could not be kept counts for this activation all the same; the next one asks again.</summary>
    public async Task StoreRobots(RowChange robots) => await store.Commit(CrawlTable.Name, _hostPartition, [robots]);

    /// <summary>By the crawls that have not ended.</summary>
    public void SetPace() =>
        politeness.Set([.. _open.Values.Where(partition => !partition.Crawl.Ended).Select(partition => partition.Crawl.Order.Spec)]);

    /// <summary>Completes when nobody is about to open the crawl: whoever was may have failed.</summary>
    public async Task Opening(CrawlId id)
    {
        if (_opening.TryGetValue(id, out var opening))
        {
            await ((Task)opening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>From here on nothing of the crawl is handed out or taken in.</summary>
    public void Forget(CrawlId id)
    {
        _open.Remove(id, out var partition);
        Deleted.Add(id, partition?.Crawl.Queue, guards.GetUtcNow());
        SetPace();
    }

    /// <summary>
    /// Removes rows of a crawl that is forgotten, ten thousand at most: true when none are left. That it was deleted is durable before the
    /// first goes.
    /// </summary>
    public async Task<bool> Delete(CrawlId id, CancellationToken cancel)
    {
        var noted = await store.Commit(
            CrawlTable.Name,
            _hostPartition,
            [RowChange.Delete(CrawlTable.CrawlPrefix + id), Clock(), .. Deleted.Rows(id, guards.GetUtcNow())],
            cancel
        );
        if (noted.Outcome != CommitOutcome.Committed)
        {
            return false;
        }

        return await DeleteRows(CrawlTable.Urls(id, host), cancel)
            && (DomainCookies.DomainOf(host) is not { } domain || await DeleteRows(CrawlTable.Cookies(id, domain), cancel));
    }

    private async Task<bool> DeleteRows(string partition, CancellationToken cancel)
    {
        for (var i = 0; i < DeletesAtOnce; i++)
        {
            var rows = await store.Scan(CrawlTable.Name, partition, KeyRange.All, StoreLimits.MaxCommitRows, cancel);
            if (rows.Count == 0)
            {
                return true;
            }

            var removed = await store.Commit(CrawlTable.Name, partition, [.. rows.Select(row => RowChange.Delete(row.Key))], cancel);
            if (removed.Outcome == CommitOutcome.Unknown)
            {
                return false;
            }

            await Task.Yield();
        }

        return false;
    }

    private async Task<HostPartition?> GetOrMake(CrawlId id, CrawlOrder? order)
    {
        while (true)
        {
            if (_open.TryGetValue(id, out var partition))
            {
                return partition.Writer.Lost is null ? partition : throw partition.Writer.Lost;
            }

            if (!_opening.TryGetValue(id, out var opening))
            {
                _opening[id] = opening = OpenNow(id, order);
            }

            partition = await opening;
            if (partition is not null || order is null)
            {
                return partition;
            }
        }
    }

    private async Task<HostPartition?> OpenNow(CrawlId id, CrawlOrder? order)
    {
        await Task.Yield();
        try
        {
            if (order is not null)
            {
                // Listed before it takes on work, so that a successor opens it, and waits for its leases.
                await List(id);
            }

            if (await HostPartition.Open(store, host, id, order, settings, retries, guards, silo) is not { } partition)
            {
                return null;
            }

            Opened(id, partition);
            return partition;
        }
        finally
        {
            _opening.Remove(id);
        }
    }

    private async Task List(CrawlId id)
    {
        var listed = await store.Commit(
            CrawlTable.Name,
            _hostPartition,
            [RowChange.Put(CrawlTable.CrawlPrefix + id, ReadOnlyMemory<byte>.Empty)]
        );
        if (listed.Outcome != CommitOutcome.Committed)
        {
            throw new PartitionLostException(CrawlTable.Name, _hostPartition, listed);
        }
    }

    private void Opened(CrawlId id, HostPartition partition)
    {
        politeness.Robots.ForgetFailures();
        _open.Add(id, partition);
        partition.Served = _open.Values.Max(other => other.Served);
        SetPace();
        politeness.Inherit(partition.PredecessorsHorizon);
        opened(partition);
    }

    private RowChange Clock() =>
        politeness.Row(
            _open.Values.Select(partition => partition.Crawl.Queue).Concat(Deleted.LeftOver.Select(leftOver => leftOver.Leases))
        );
}
