using System.Collections.Immutable;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Lifecycle;

/// <summary>A crawl's own partition: its head row, and a row for each listed host.</summary>
/// <remarks>
/// Callers interleave. It holds because the head changes only by a save, which starts from the head as it is at that moment. What writes
/// throws <see cref="PartitionLostException"/> when it was not committed, as far as is known. Not thread-safe: it belongs to a grain and
/// runs on its scheduler.
/// </remarks>
/// <param name="over">
/// Called when the activation has to end: a commit failed or its outcome is unknown, or the partition was deleted.
/// </param>
internal sealed class CrawlPartition(ITableStore store, CrawlId id, Action over) : IDisposable
{
    private readonly string _name = CrawlTable.Crawl(id);
    private readonly Dictionary<HostKey, long?> _hosts = [];
    private readonly SemaphoreSlim _saving = new(1);
    private string? _headETag;

    public CrawlId Id => id;

    /// <summary>As it is stored; null: there is no such crawl.</summary>
    public CrawlHead? Head { get; private set; }

    /// <summary>The listed hosts, each with the pages that it may fetch in all (null: no limit).</summary>
    public IReadOnlyDictionary<HostKey, long?> Hosts => _hosts;

    /// <summary>In the order in which callers page through them.</summary>
    public IEnumerable<HostKey> HostsInOrder => _hosts.Keys.OrderBy(host => host.Value, StringComparer.Ordinal);

    /// <summary>The listed hosts in that order, those after <paramref name="last"/>; null: all.</summary>
    public IEnumerable<HostKey> HostsAfter(HostKey? last) =>
        last is { } host ? HostsInOrder.Where(next => string.CompareOrdinal(next.Value, host.Value) > 0) : HostsInOrder;

    public void Dispose() => _saving.Dispose();

    /// <summary>Reads what is stored, if anything is.</summary>
    public async Task Restore(CancellationToken cancel)
    {
        if (await store.Get(CrawlTable.Name, _name, PartitionWriter.HeadKey, cancel) is not { } head)
        {
            return;
        }

        Head = CrawlJson.Read<CrawlHead>(head.Payload);
        _headETag = head.ETag;
        await foreach (var row in store.ScanAll(CrawlTable.Name, _name, KeyRange.Prefix(CrawlTable.HostPrefix), cancel: cancel))
        {
            var listed = CrawlJson.Read<ListedHost>(row.Payload);
            _hosts.Add(new(listed.Host), listed.Allowance);
        }
    }

    /// <summary>Writes the first head.</summary>
    public Task Begin(CrawlHead head) => Save(_ => head);

    /// <summary>
    /// Replaces the head by its etag. Saves follow one another, each made from the head as the one before left it; the crawl has a head.
    /// </summary>
    public Task Save(Func<CrawlHead, CrawlHead> change) => Save(change, []);

    /// <summary>
    /// Lists hosts, at most <see cref="ICrawlGrain.MaxHosts"/> in all; the answer names those without room. Null when the crawl takes no
    /// more.
    /// </summary>
    public async Task<EnlistReply?> Enlist(ImmutableArray<HostKey> hosts)
    {
        if (Head is not { EndReason: null })
        {
            return null;
        }

        var fresh = hosts.Where(host => !_hosts.ContainsKey(host)).Distinct().Take(ICrawlGrain.MaxHosts - _hosts.Count).ToList();
        foreach (var some in fresh.Chunk(StoreLimits.MaxCommitRows - 1))
        {
            await Save(head => head, some.Select(host => Row(host, allowance: null)));
            foreach (var host in some)
            {
                _hosts.TryAdd(host, null);
            }
        }

        return new(Head.Order, [.. hosts.Where(host => !_hosts.ContainsKey(host))]);
    }

    /// <summary>Stores how many pages hosts may fetch in all.</summary>
    public async Task Allow(IReadOnlyDictionary<HostKey, long?> allowances)
    {
        foreach (var some in allowances.Chunk(StoreLimits.MaxCommitRows - 1))
        {
            await Save(head => head, some.Select(host => Row(host.Key, host.Value)));
            foreach (var (host, allowance) in some)
            {
                _hosts[host] = allowance;
            }
        }
    }

    /// <summary>Removes hosts from the list, as many as one commit holds at most.</summary>
    public async Task Unlist(IReadOnlyCollection<HostKey> hosts)
    {
        MustBeCommitted(await store.Commit(CrawlTable.Name, _name, [.. hosts.Select(host => RowChange.Delete(KeyOf(host)))]));
        foreach (var host in hosts)
        {
            _hosts.Remove(host);
        }
    }

    /// <summary>Deletes the head, which is the last of it: the activation ends.</summary>
    public async Task Delete()
    {
        MustBeCommitted(await store.Commit(CrawlTable.Name, _name, [RowChange.Delete(PartitionWriter.HeadKey)]));
        Head = null;
        _headETag = null;
        over();
    }

    private async Task Save(Func<CrawlHead, CrawlHead> change, IEnumerable<RowChange> others)
    {
        await _saving.WaitAsync();
        try
        {
            var head = change(Head!);
            var payload = CrawlJson.Write(head);
            var result = await store.Commit(
                CrawlTable.Name,
                _name,
                [
                    _headETag is null
                        ? RowChange.Insert(PartitionWriter.HeadKey, payload)
                        : RowChange.Replace(PartitionWriter.HeadKey, payload, _headETag),
                    .. others,
                ]
            );
            MustBeCommitted(result);
            Head = head;
            _headETag = result.ETags[0];
        }
        finally
        {
            _saving.Release();
        }
    }

    private void MustBeCommitted(CommitResult result)
    {
        if (result.Outcome != CommitOutcome.Committed)
        {
            over();
            throw new PartitionLostException(CrawlTable.Name, _name, result);
        }
    }

    private static RowChange Row(HostKey host, long? allowance) =>
        RowChange.Put(KeyOf(host), CrawlJson.Write(new ListedHost(host.Value, allowance)));

    private static string KeyOf(HostKey host) => CrawlTable.HostPrefix + StoreLimits.HashKey(host.Value);
}
