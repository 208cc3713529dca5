namespace Grains.Crawling.Frontier;

/// <summary>
/// What waits on a host for one crawl, and what is leased. First come, first served; a URL that is to be tried again comes first once its
/// time has come.
/// It is told the time; what it hands out is out once, until it is finished or its lease ends.
/// </summary>
public sealed class HostQueue
{
    /// <summary>Entries of each of the two windows in memory.</summary>
    public const int WindowSize = 2_000;

    private readonly Dictionary<string, HeldLease> _leases = new(StringComparer.Ordinal);

    /// <summary>What may be fetched as soon as the host may be asked.</summary>
    public KeyWindow Ready { get; } = new(WindowSize);

    /// <summary>What is to be tried again, not before its time.</summary>
    public KeyWindow Later { get; } = new(WindowSize);

    public int Leased => _leases.Count;

    /// <summary>The end of the lease that lasts longest; null when there is none.</summary>
    public DateTimeOffset? LastLeaseEnds => _leases.Count == 0 ? null : _leases.Values.Max(lease => lease.Until);

    /// <summary>The entry's row is on its way into the store; <see cref="Add"/> follows.</summary>
    public void Expect(QueueEntry entry) => Window(entry).Expect(entry);

    public void Add(QueueEntry entry) => Window(entry).Add(entry);

    /// <summary>The entry whose turn it is; null when none may be fetched now.</summary>
    public QueueEntry? Peek(DateTimeOffset now) => Later.First is { } late && late.Due <= now ? late : Ready.First;

    /// <summary>The same, but of the URLs in memory that do not begin with <paramref name="not"/>.</summary>
    public QueueEntry? Peek(DateTimeOffset now, string not) =>
        Later.FirstNot(not) is { } late && late.Due <= now ? late : Ready.FirstNot(not);

    /// <summary>Takes an entry out without a lease: it was decided otherwise.</summary>
    public void Remove(QueueEntry entry) => Window(entry).Take(entry);

    /// <summary>The row of an entry that was taken out is gone.</summary>
    public void Forget(QueueEntry entry) => Window(entry).Forget(entry);

    /// <param name="number">Higher than every lease number of this crawl before.</param>
    /// <param name="silo">Of the worker that gets it; null: it is not known.</param>
    public void Lease(QueueEntry entry, long number, DateTimeOffset until, string? silo = null)
    {
        Remove(entry);
        _leases.Add(entry.Url, new(entry, number, until, silo));
    }

    /// <summary>The leases of a silo's workers end by then.</summary>
    public void EndBy(string silo, DateTimeOffset end)
    {
        foreach (var (url, lease) in _leases.Where(lease => lease.Value.Silo == silo && lease.Value.Until > end).ToList())
        {
            _leases[url] = lease with { Until = end };
        }
    }

    /// <summary>The lease that ends by a report; null when it is not held any more: the report is late, or came before.</summary>
    public QueueEntry? End(string url, long number)
    {
        if (!_leases.TryGetValue(url, out var lease) || lease.Number != number)
        {
            return null;
        }

        _leases.Remove(url);
        return lease.Entry;
    }

    /// <summary>Ends the leases whose time is up. Their entries stay out: <see cref="Add"/> or <see cref="Forget"/> follows.</summary>
    public List<QueueEntry> EndOver(DateTimeOffset now)
    {
        var over = _leases.Values.Where(lease => lease.Until <= now).Select(lease => lease.Entry).ToList();
        over.ForEach(entry => _leases.Remove(entry.Url));
        return over;
    }

    /// <summary>When the next URL may be taken, as far as the queue is concerned; null when none waits.</summary>
    public DateTimeOffset? NextReady => Ready.Count > 0 ? DateTimeOffset.MinValue : Later.First?.Due;

    /// <summary>When the first lease ends if nobody reports; null when there is none.</summary>
    public DateTimeOffset? NextLeaseEnd => _leases.Count == 0 ? null : _leases.Values.Min(lease => lease.Until);

    public bool IsHeld(string url, out long number)
    {
        var held = _leases.TryGetValue(url, out var lease);
        number = lease?.Number ?? 0;
        return held;
    }

    private KeyWindow Window(QueueEntry entry) => entry.Due == DateTimeOffset.MinValue ? Ready : Later;

    private sealed record HeldLease(QueueEntry Entry, long Number, DateTimeOffset Until, string? Silo);
}
