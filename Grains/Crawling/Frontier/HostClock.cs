using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Frontier;

/// <summary>
/// When a host may be asked next, for all crawls together. It is told the time.
/// </summary>
/// <remarks>
/// With concurrency 1, <see cref="Delay"/> runs from the end of the last request, as it was reported; with more, from the start of the last
/// one, as it
/// was told (<see cref="Begun"/>): until then, nothing else starts. The first request has to end before there is a second one: it makes the
/// connection.
/// So two requests never start less than <see cref="Delay"/> apart. A delay that becomes longer counts at once, for the last request too.
/// </remarks>
public sealed class HostClock
{
    private LeaseId? _starting;
    private bool _hasAnswered;

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
            if (InFlight >= Concurrency || (TellBegun && (_starting is not null || (InFlight > 0 && !_hasAnswered))))
            {
                return null;
            }

            var rested = LastAsked + Delay;
            return rested > NotBefore ? rested : NotBefore;
        }
    }

    public bool MayStart(DateTimeOffset now) => Next <= now;

    /// <summary>How many requests may start now, one after the other.</summary>
    public int MayStartAtOnce(DateTimeOffset now) =>
        !MayStart(now) ? 0
        : Delay > TimeSpan.Zero ? 1
        : Concurrency - InFlight;

    /// <summary>Whoever gets a lease is to tell when its request goes out.</summary>
    public bool TellBegun => Concurrency > 1 && Delay > TimeSpan.Zero;

    public void Start(LeaseId lease, DateTimeOffset now)
    {
        InFlight++;
        _starting = TellBegun ? lease : null;
        AskedUntil(now);
    }

    /// <summary>The request of a lease goes out.</summary>
    public void Begun(LeaseId lease, DateTimeOffset now)
    {
        if (_starting == lease)
        {
            _starting = null;
            AskedUntil(now);
        }
    }

    /// <summary>A request has ended, or its lease has: it may have been going on until <paramref name="at"/>.</summary>
    /// <param name="lease">Null: whichever it was.</param>
    public void End(LeaseId? lease, DateTimeOffset at)
    {
        InFlight--;
        if (Concurrency == 1 || !_hasAnswered || lease is null || _starting == lease)
        {
            AskedUntil(at);
        }

        _hasAnswered = true;
        if (lease is null || _starting == lease)
        {
            _starting = null;
        }

        WaitUntil(at);
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

/// <summary>A lease on one host: numbers are unique per crawl.</summary>
public readonly record struct LeaseId(CrawlId Crawl, long Number);
