using System.Collections.Immutable;
using System.Text.Json;
using Grains.Books;
using Grains.Crawling.Cookies;
using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>
/// A host's partition for one crawl, opened by its owner: <see cref="HostCrawl"/> decides, <see cref="PartitionWriter"/> commits.
/// </summary>
internal sealed class HostPartition
{
    /// <summary>Rows that one call of <see cref="Requeue"/> looks at.</summary>
    private const int RowsAtOnce = 2 * StoreLimits.MaxScan;

    private readonly ITableStore _store;
    private readonly HostKey _host;
    private readonly string _partition;
    private Task _changing = Task.CompletedTask;
    private bool _isLoaded;

    private HostPartition(
        ITableStore store,
        HostKey host,
        string partition,
        HostCrawl crawl,
        HostHead head,
        string? headETag,
        int workers,
        TimeProvider guards
    )
    {
        _store = store;
        _host = host;
        _partition = partition;
        Crawl = crawl;
        PredecessorsHorizon = head.Horizon;
        PredecessorsSilo = head.Silo;
        Writer = new(store, CrawlTable.Name, partition, () => crawl.Head(guards.GetUtcNow()), headETag, crawl.Committed);
        Board = new(crawl.Order.Id, crawl.Order.Spec.Parallel, workers);
    }

    public HostCrawl Crawl { get; }

    public PartitionWriter Writer { get; }

    public WorkerBoard Board { get; }

    /// <summary>Leases of an earlier activation may last until then, by the guards' clock.</summary>
    public DateTimeOffset PredecessorsHorizon { get; }

    /// <summary>Where that activation was; null: it is not known.</summary>
    public string? PredecessorsSilo { get; }

    /// <summary>Leases given out, for taking turns.</summary>
    public long Served { get; set; }

    /// <summary>Completes when what is known is in memory; URLs are taken in and handed out after that.</summary>
    public Task Loaded { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// Opens the partition and fences it: when this returns, an earlier owner can commit no more. Null when there is none and none is to be
    /// made
    /// (<paramref name="order"/> is then what to make it with).
    /// </summary>
    public static async Task<HostPartition?> Open(
        ITableStore store,
        HostKey host,
        CrawlId id,
        CrawlOrder? order,
        HostSettings settings,
        RetryPolicy retries,
        TimeProvider guards,
        string? silo = null
    )
    {
        var partition = CrawlTable.Urls(id, host);
        var headRow = await store.Get(CrawlTable.Name, partition, PartitionWriter.HeadKey);
        var orderRow = await store.Get(CrawlTable.Name, partition, CrawlTable.OrderKey);
        if (headRow is null && order is null)
        {
            return null;
        }

        var head = headRow is null ? new HostHead { Host = host.Value } : CrawlJson.Read<HostHead>(headRow.Payload);
        var stored = orderRow is null ? null : CrawlJson.Read<CrawlOrder>(orderRow.Payload);

        // One that has ended keeps the version under which it did: a later one may reopen it.
        var current = order is not null && (stored is null || (head.Ended is null && order.Version >= stored.Version)) ? order : stored!;
        var before = head with { };
        head.Epoch++;
        head.Silo = silo;
        var opened = new HostPartition(
            store,
            host,
            partition,
            new HostCrawl(current, head, settings.MaxUrlsPerHost, retries),
            before,
            headRow?.ETag,
            settings.Workers,
            guards
        );
        await Task.WhenAll(opened.Writer.Commit(new PutOrder(current)), opened.JoinCookies());
        if (headRow is null)
        {
            opened._isLoaded = true;
            opened.Crawl.Queue.Ready.EndLoad([], isLast: true);
            opened.Crawl.Queue.Later.EndLoad([], isLast: true);
        }
        else if (!opened.Crawl.Ended)
        {
            opened.StartLoading();
        }

        return opened;
    }

    /// <summary>
    /// The crawl goes on though it has ended here: what its end left in the queue waits again. Nothing happens where
    /// <see cref="HostCrawl.MayReopen"/> says no; what is known may still be loading when this completes.
    /// </summary>
    public Task Reopen(CrawlOrder order)
    {
        return _changing = InTurn(_changing);

        async Task InTurn(Task before)
        {
            await Ended(before);
            if (!Crawl.MayReopen(order))
            {
                return;
            }

            var waiting = await CountRows(QueueEntry.ReadyPrefix) + await CountRows(QueueEntry.LaterPrefix);
            StartLoading();
            var reopened = Writer.Commit(Crawl.Reopen(waiting));
            await Task.WhenAll(reopened, Tell(order));
        }
    }

    /// <summary>
    /// Queues URLs that have failed, of two thousand rows after <paramref name="after"/> (null: of the first); durable when it completes.
    /// </summary>
    /// <param name="reason">The word for the books with which they failed; null: any.</param>
    public Task<HostRetry> Requeue(string? reason, string? after)
    {
        var retry = InTurn(_changing);
        _changing = retry;
        return retry;

        async Task<HostRetry> InTurn(Task before)
        {
            await Ended(before);
            var retried = ImmutableSortedDictionary<string, long>.Empty;
            var range = KeyRange.Prefix(CrawlTable.UrlPrefix);
            for (var looked = 0; looked < RowsAtOnce && Crawl.Sums().Failed > 0 && !Crawl.Ended; looked += StoreLimits.MaxScan)
            {
                var rows = await _store.Scan(CrawlTable.Name, _partition, after is null ? range : range.After(after), StoreLimits.MaxScan);
                var work = Crawl.Requeue([
                    .. rows.Select(row => CrawlJson.Read<UrlRow>(row.Payload))
                        .Where(row => row.State == UrlState.Failed && (reason is null || row.Reason == reason)),
                ]);
                await Writer.Commit(work);
                retried = retried.Plus(work.Queued);
                after = rows.Count < StoreLimits.MaxScan ? null : rows[^1].Key;
                if (after is null)
                {
                    break;
                }
            }

            return new(retried, Crawl.Sums().Failed > 0 && !Crawl.Ended ? after : null);
        }
    }

    /// <summary>Whoever began it hears of its failure.</summary>
    private static async Task Ended(Task before) =>
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);

    /// <summary>The crawl as it is now, durable with the next commit.</summary>
    public Task Tell(CrawlOrder order) => Crawl.Tell(order) ? Writer.Commit(new PutOrder(order)) : Task.CompletedTask;

    /// <summary>Reads further entries of the queue when memory runs low of them.</summary>
    public async Task Refill()
    {
        await Refill(Crawl.Queue.Ready, QueueEntry.ReadyPrefix);
        await Refill(Crawl.Queue.Later, QueueEntry.LaterPrefix);
    }

    public bool WantsRefill => Loaded.IsCompleted && !Crawl.Ended && (Crawl.Queue.Ready.WantsMore || Crawl.Queue.Later.WantsMore);

    /// <summary>Reads the cookies again that the crawl's hosts of this domain share: somebody has set one.</summary>
    public async Task ReadCookies(CancellationToken cancel) =>
        Crawl.Share(await new DomainCookies(_store).Read(Crawl.Order.Id, _host, cancel));

    private async Task JoinCookies()
    {
        if (!Crawl.Order.Spec.NoCookies)
        {
            Crawl.Share(await new DomainCookies(_store).Join(Crawl.Order.Id, _host));
        }
    }

    private void StartLoading()
    {
        if (!_isLoaded)
        {
            _isLoaded = true;
            Loaded = Load();
        }
    }

    private async Task<long> CountRows(string prefix)
    {
        long count = 0;
        await foreach (var _ in _store.ScanAll(CrawlTable.Name, _partition, KeyRange.Prefix(prefix)))
        {
            count++;
        }

        return count;
    }

    /// <summary>Every URL that is known, then the beginning of the queue. Other calls go on between the pages.</summary>
    private async Task Load()
    {
        var range = KeyRange.Prefix(CrawlTable.UrlPrefix);
        while (true)
        {
            await Task.Yield();
            var rows = await _store.Scan(CrawlTable.Name, _partition, range, StoreLimits.MaxScan);
            foreach (var row in rows)
            {
                Crawl.Remember(UrlOf(row.Payload.Span));
            }

            if (rows.Count < StoreLimits.MaxScan)
            {
                break;
            }

            range = range.After(rows[^1].Key);
        }

        await Refill();
    }

    private async Task Refill(KeyWindow window, string prefix)
    {
        if (!window.WantsMore)
        {
            return;
        }

        var range = KeyRange.Prefix(prefix);
        window.BeginLoad();
        try
        {
            var rows = await _store.Scan(
                CrawlTable.Name,
                _partition,
                string.IsNullOrEmpty(window.LoadedTo) ? range : range.After(window.LoadedTo),
                StoreLimits.MaxScan
            );
            window.EndLoad([.. rows.Select(Entry)], isLast: rows.Count < StoreLimits.MaxScan);
        }
        catch
        {
            window.FailLoad(); // So that it can be tried again.
            throw;
        }
    }

    private static QueueEntry Entry(TableRow row)
    {
        var queued = CrawlJson.Read<QueueRow>(row.Payload);
        return new(row.Key, queued.Url, queued.Depth, queued.Parent, queued.Attempts, queued.Hops, queued.Sitemap);
    }

    /// <summary>
    /// The URL alone: it is the first property of a <see cref="UrlRow"/>, and the rest of a million rows need not be built.
    /// </summary>
    private static string UrlOf(ReadOnlySpan<byte> payload)
    {
        var reader = new Utf8JsonReader(payload);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("url"u8))
            {
                reader.Read();
                return reader.GetString()!;
            }
        }

        throw new JsonException("A URL's row has no url.");
    }

    private sealed class PutOrder(CrawlOrder order) : IPartitionWork
    {
        private readonly byte[] _row = CrawlJson.Write(order);

        public bool Fill(CommitBuilder commit)
        {
            if (!commit.HasRoom(rows: 1, bytes: _row.Length) || commit.Has(CrawlTable.OrderKey))
            {
                return false;
            }

            commit.Add(RowChange.Put(CrawlTable.OrderKey, _row));
            return true;
        }
    }
}
