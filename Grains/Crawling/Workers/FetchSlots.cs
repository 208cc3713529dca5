using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// A worker's slots: how many fetches it has in flight, of which crawl, and which hosts it will ask when one gets free.
/// At most <see cref="MaxWaiting"/> hosts wait; one more is not noted, and says itself again after a second.
/// </summary>
public sealed class FetchSlots(int worker, int workers, int slots)
{
    public const int MaxWaiting = 1_024;

    private readonly Dictionary<CrawlId, int> _inFlight = [];
    private readonly LinkedList<HostReady> _waiting = [];
    private readonly HashSet<(HostKey, CrawlId)> _noted = [];

    public int InFlight { get; private set; }

    /// <summary>Slots that are free for this crawl.</summary>
    public int Free(CrawlId crawl, int parallel) =>
        Math.Max(0, Math.Min(slots - InFlight, WorkerSlots.Of(crawl, parallel, worker, workers) - _inFlight.GetValueOrDefault(crawl)));

    public void Take(CrawlId crawl, int count)
    {
        InFlight += count;
        _inFlight[crawl] = _inFlight.GetValueOrDefault(crawl) + count;
    }

    public void Release(CrawlId crawl, int count)
    {
        if (count == 0)
        {
            return;
        }

        InFlight -= count;
        if ((_inFlight[crawl] -= count) == 0)
        {
            _inFlight.Remove(crawl);
        }
    }

    public void Note(HostReady ready)
    {
        if (_noted.Count < MaxWaiting && _noted.Add((ready.Host, ready.Crawl)))
        {
            _waiting.AddLast(ready);
        }
    }

    /// <summary>Another host than <paramref name="host"/> waits for a slot of this crawl.</summary>
    public bool OthersWait(CrawlId crawl, HostKey host)
    {
        foreach (var ready in _waiting)
        {
            if (ready.Crawl == crawl && ready.Host != host)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The host that has waited longest among those whose crawl has a free slot; null when there is none.</summary>
    public HostReady? Next()
    {
        for (var node = InFlight < slots ? _waiting.First : null; node is not null; node = node.Next)
        {
            if (Free(node.Value.Crawl, node.Value.Parallel) > 0)
            {
                _waiting.Remove(node);
                _noted.Remove((node.Value.Host, node.Value.Crawl));
                return node.Value;
            }
        }

        return null;
    }
}
