namespace Grains.Crawling.Frontier;

/// <summary>
/// When a host may be asked next, for all crawls together. It is told the time.
/// </summary>
/// <remarks>
/// With concurrency 1, <see cref="Delay"/> runs from the end of the last request, as it was reported; with more, from the start of the last one.
/// So two requests never start less than <see cref="Delay"/> apart. A delay that becomes longer counts at once, for the last request too.
/// </remarks>
public sealed class HostClock
{
    /// <summary>The longest that any crawl or the host's robots.txt asks for.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>The smallest that any crawl asks for.</summary>
    public int Concurrency { get; set; } = 1;

    public int InFlight { get; private set; }

    /// <summary>From when on <see cref="Delay"/> runs: what is kept for a successor.</summary>
    public DateTimeOffset LastAsked { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>Nothing starts before then, however long ago the last request was: the host asked for it.</summary>
    public DateTimeOffset NotBefore { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>When the next request may start; null while as many are in flight as may be.</summary>
    public DateTimeOffset? Next
    {
        get
        {
            if (InFlight >= Concurrency)
            {
                return null;
            }

            var rested = LastAsked + Delay;
            return rested > NotBefore ? rested : NotBefore;
        }
    }

    public bool MayStart(DateTimeOffset now) => Next <= now;

    /// <summary>How many requests may start now, one after the other.</summary>
    public int MayStartAtOnce(DateTimeOffset now) => !MayStart(now) ? 0 : Delay > TimeSpan.Zero ? 1 : Concurrency - InFlight;

    public void Start(DateTimeOffset now)
    {
        InFlight++;
        AskedUntil(now);
    }

    /// <summary>A request has ended, or its lease has: it may have been going on until <paramref name="at"/>.</summary>
    public void End(DateTimeOffset at)
    {
        InFlight--;
        if (Concurrency == 1)
        {
            AskedUntil(at);
        }
        else
        {
            WaitUntil(at);
        }
    }

    /// <summary>Somebody may have been asking until then: a predecessor, whose leases may have lasted so long.</summary>
    public void AskedUntil(DateTimeOffset time)
    {
        if (time > LastAsked)
        {
            LastAsked = time;
        }
    }

    /// <summary>See <see cref="NotBefore"/>.</summary>
    public void WaitUntil(DateTimeOffset time)
    {
        if (time > NotBefore)
        {
            NotBefore = time;
        }
    }
}
