using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Grains.Crawling.Fetching;

namespace Grains.Crawling;

/// <summary>
/// What crawling does, as numbers: meter <c>Crawling</c>. While nobody listens it costs next to nothing.
/// </summary>
public sealed class CrawlingMetrics
{
    private readonly ConcurrentDictionary<HostLoad, bool> _hosts = [];
    private readonly Counter<long> _leases;
    private readonly Counter<long> _expired;

    public CrawlingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(FetchMetrics.Meter);
        _leases = meter.CreateCounter<long>(
            "crawling.leases",
            "{lease}",
            "Leases that hosts gave out; again: not for the first time, a retry."
        );
        _expired = meter.CreateCounter<long>(
            "crawling.leases.expired",
            "{lease}",
            "Leases that ended without a report; their URLs wait again."
        );
        meter.CreateObservableGauge("crawling.hosts", () => _hosts.Count, "{host}", "Hosts in memory.");
        meter.CreateObservableGauge(
            "crawling.urls.waiting",
            () => _hosts.Keys.Sum(host => Volatile.Read(ref host.Waiting)),
            "{url}",
            "URLs that wait at hosts in memory, those in flight included."
        );
        meter.CreateObservableGauge(
            "crawling.urls.leased",
            () => _hosts.Keys.Sum(host => Volatile.Read(ref host.Leased)),
            "{url}",
            "URLs that are leased by hosts in memory."
        );
        meter.CreateObservableGauge(
            "crawling.commits.waiting",
            () => _hosts.Keys.Sum(host => Volatile.Read(ref host.CommitsWaiting)),
            "{work}",
            "Pieces of work that wait for a commit; at most 10,000 a host and crawl."
        );
        meter.CreateObservableGauge(
            "crawling.seen.bytes",
            () => _hosts.Keys.Sum(host => Volatile.Read(ref host.SeenBytes)),
            "By",
            "Memory of what hosts have seen."
        );
    }

    public void OnLeased(int first, int again)
    {
        if (_leases.Enabled && first + again > 0)
        {
            _leases.Add(first, new KeyValuePair<string, object?>("again", false));
            _leases.Add(again, new KeyValuePair<string, object?>("again", true));
        }
    }

    public void OnLeaseExpired() => _expired.Add(1);

    /// <summary>What one host has at the moment. It says so itself; whoever reads the numbers reads them from here.</summary>
    public HostLoad Watch()
    {
        var load = new HostLoad();
        _hosts[load] = true;
        return load;
    }

    public void Forget(HostLoad load) => _hosts.TryRemove(load, out _);
}

/// <summary>The load of one host, written by its grain and read by whoever collects metrics.</summary>
public sealed class HostLoad
{
    internal long Waiting;
    internal long Leased;
    internal long CommitsWaiting;
    internal long SeenBytes;

    public void Is(long waiting, long leased, long commitsWaiting, long seenBytes)
    {
        Volatile.Write(ref Waiting, waiting);
        Volatile.Write(ref Leased, leased);
        Volatile.Write(ref CommitsWaiting, commitsWaiting);
        Volatile.Write(ref SeenBytes, seenBytes);
    }
}
