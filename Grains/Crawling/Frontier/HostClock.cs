namespace Grains.Crawling.Frontier;

/// <summary>
/// When a host may be asked next, for all crawls together. It is told the time.
/// </summary>
/// <remarks>
/// With concurrency 1, <see cref="Delay"/> runs from the end of the last request, as it was reported; with more, from the start of the last one.
/// So two requests never start less than <see cref="Delay"/> apart.
/// </remarks>
public sealed class HostClock
{
    private DateTimeOffset _notBefore = DateTimeOffset.MinValue;

    /// <summary>The longest that any crawl or the host's robots.txt asks for.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>The smallest that any crawl asks for.</summary>
    public int Concurrency { get; set; } = 1;

    public int InFlight { get; private set; }

    /// <summary>When the next request may start; null while as many are in flight as may be.</summary>
    public DateTimeOffset? Next => InFlight < Concurrency ? _notBefore : null;

    public bool MayStart(DateTimeOffset now) => Next <= now;

    /// <summary>How many requests may start now, one after the other.</summary>
    public int MayStartAtOnce(DateTimeOffset now) => !MayStart(now) ? 0 : Delay > TimeSpan.Zero ? 1 : Concurrency - InFlight;

    public void Start(DateTimeOffset now)
    {
        InFlight++;
        WaitUntil(now + Delay);
    }

    /// <summary>A request has ended, or its lease has: it may have been going on until <paramref name="now"/>.</summary>
    public void End(DateTimeOffset now)
    {
        InFlight--;
        WaitUntil(Concurrency == 1 ? now + Delay : now);
    }

    /// <summary>Nothing starts before then: the host asked for it, or a predecessor's leases may last until then.</summary>
    public void WaitUntil(DateTimeOffset time)
    {
        if (time > _notBefore)
        {
            _notBefore = time;
        }
    }
}
