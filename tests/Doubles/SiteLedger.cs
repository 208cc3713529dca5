using System.Collections.Immutable;

namespace Doubles;

/// <param name="Target">Path and query as they stood in the request line; of a site in memory the whole URL.</param>
/// <param name="Start">Since the site began, by a clock that never goes back.</param>
/// <param name="Headers">As they came, without regard to case.</param>
public sealed record SiteRequest(string Target, TimeSpan Start, IReadOnlyDictionary<string, string> Headers);

/// <summary>What a site saw: each request with its start, and how many there were at once.</summary>
public sealed class SiteLedger(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly long _start = clock.GetTimestamp();
    private readonly List<SiteRequest> _requests = [];
    private long _count;
    private int _now;

    /// <summary>Off for benchmarks: then only <see cref="Count"/> and <see cref="MostAtOnce"/> are kept.</summary>
    public bool KeepsRequests { get; set; } = true;

    public long Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>The most requests that were in work at one time.</summary>
    public int MostAtOnce { get; private set; }

    /// <summary>In the order of their starts.</summary>
    public ImmutableArray<SiteRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    public int CountOf(string target) => Requests.Count(request => request.Target == target);

    public void OnStart(string target, Func<IReadOnlyDictionary<string, string>> headers)
    {
        lock (_lock)
        {
            _count++;
            MostAtOnce = Math.Max(MostAtOnce, ++_now);
            if (KeepsRequests)
            {
                _requests.Add(new(target, clock.GetElapsedTime(_start), headers()));
            }
        }
    }

    public void OnEnd()
    {
        lock (_lock)
        {
            _now--;
        }
    }
}
