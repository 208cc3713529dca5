using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Frontier;

/// <summary>
/// Which workers to tell that a host has URLs of a crawl: those that will not ask by themselves. A worker that got all it asked for comes
/// back with its report. Where one that was told does not ask, the next is told after <see cref="RepeatAfter"/> (an event may be lost),
/// and then after twice as long each time, up to <see cref="MaxRepeat"/>: with thousands of hosts that wait for a slot, what they say
/// again and again would leave no time for what they wait for.
/// </summary>
public sealed class WorkerBoard(CrawlId crawl, int parallel, int workers)
{
    public static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan MaxRepeat = TimeSpan.FromSeconds(32);

    /// <summary>What comes meanwhile may be something that can be given.</summary>
    public static readonly TimeSpan MaxHold = TimeSpan.FromSeconds(10);

    private readonly DateTimeOffset[] _quietUntil = new DateTimeOffset[workers];
    private DateTimeOffset _heldUntil = DateTimeOffset.MinValue;
    private DateTimeOffset _repeatAt = DateTimeOffset.MinValue;
    private TimeSpan _repeat = RepeatAfter;
    private int _next = WorkerSlots.First(crawl, workers);

    /// <summary>When to look again whether somebody is to be told, while there is something to fetch.</summary>
    public DateTimeOffset RepeatAt(DateTimeOffset now) => _repeatAt > now ? _repeatAt : now + RepeatAfter;

    /// <summary>Workers that together have room for <paramref name="fetches"/>, as far as there are any to tell.</summary>
    public List<int> Choose(int fetches, DateTimeOffset now)
    {
        var chosen = new List<int>();
        for (var i = 0; i < workers && fetches > 0; i++)
        {
            var worker = (_next + i) % workers;
            var slots = WorkerSlots.Of(crawl, parallel, worker, workers);
            if (slots > 0 && _quietUntil[worker] <= now)
            {
                _quietUntil[worker] = now + _repeat;
                chosen.Add(worker);
                fetches -= slots;
            }
        }

        if (chosen.Count > 0)
        {
            _next = (chosen[^1] + 1) % workers;
            _repeatAt = now + _repeat;
            _repeat = 2 * _repeat < MaxRepeat ? 2 * _repeat : MaxRepeat;
        }

        return chosen;
    }

    /// <summary>A worker asked for <paramref name="wanted"/> and got <paramref name="got"/>.</summary>
    public void Asked(int worker, int wanted, int got)
    {
        _quietUntil[worker] = wanted > 0 && got == wanted ? DateTimeOffset.MaxValue : _heldUntil;
        _repeat = RepeatAfter;
        _repeatAt = DateTimeOffset.MinValue;
    }

    /// <summary>
    /// Nobody can be given anything before something else is known: tell nobody for a while, or until <see cref="Forget"/>.
    /// </summary>
    /// <param name="until">When that may be at the earliest; null: it is not known. At most <see cref="MaxHold"/> from now.</param>
    public void Hold(DateTimeOffset now, DateTimeOffset? until = null)
    {
        var wait = until - now ?? RepeatAfter;
        _heldUntil =
            now
            + (
                wait <= TimeSpan.Zero ? RepeatAfter
                : wait < MaxHold ? wait
                : MaxHold
            );
        Array.Fill(_quietUntil, _heldUntil);
    }

    /// <summary>Starts anew: a lease ended without a report, so its worker may be gone; or what everybody waited for is known.</summary>
    public void Forget()
    {
        _heldUntil = DateTimeOffset.MinValue;
        _repeatAt = DateTimeOffset.MinValue;
        _repeat = RepeatAfter;
        Array.Clear(_quietUntil);
    }
}
