using Grains.Crawling.Hosts;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling;

/// <summary>
/// Whose turn it is at one address: one host's at a time, in the order in which they asked, and never sooner after the last turn than the
/// delay. It is told the time.
/// </summary>
[GenerateSerializer, Alias("crawling.AddressPace")]
public sealed class AddressPace
{
    /// <summary>The named storage that keeps it.</summary>
    public const string Storage = "urls";

    /// <summary>Hosts whose place is kept; one more asks again until there is room.</summary>
    public const int MaxWaiting = 1_024;

    /// <summary>Nobody is told to ask again sooner.</summary>
    public static readonly TimeSpan LeastWait = TimeSpan.FromMilliseconds(200);

    /// <summary>Not stored: after a crash the hosts ask again.</summary>
    [NonSerialized]
    private readonly List<(HostKey Host, DateTimeOffset Until)> _waiting = [];

    /// <summary>The host whose turn it is; null: nobody's.</summary>
    [Id(0)]
    public string? Holder { get; set; }

    /// <summary>Number of the last turn.</summary>
    [Id(1)]
    public long Turn { get; set; }

    /// <summary>The turn lasts no longer, by the guards' clock.</summary>
    [Id(2)]
    public DateTimeOffset HeldUntil { get; set; }

    /// <summary>When the last turn ended, by the schedule's clock.</summary>
    [Id(3)]
    public DateTimeOffset LastEnded { get; set; }

    /// <summary>The delay for which the last turn was taken.</summary>
    [Id(4)]
    public TimeSpan LastDelay { get; set; }

    /// <inheritdoc cref="IAddressGrain.Take"/>
    internal AddressTurn Take(HostKey host, TimeSpan delay, TimeSpan hold, HostTime now)
    {
        if (Holder is { } holder && (HeldUntil <= now.Guards || holder == host.Value))
        {
            // Its time is up; or the host does not know of it, because an answer was lost: a request may have ended just now.
            End(now.Schedule);
        }

        _waiting.RemoveAll(other => other.Host != host && other.Until < now.Schedule);
        var place = _waiting.FindIndex(other => other.Host == host);
        if (place < 0)
        {
            place = _waiting.Count;
            if (place < MaxWaiting)
            {
                _waiting.Add((host, DateTimeOffset.MaxValue));
            }
        }

        var step = delay > LastDelay ? delay : LastDelay;
        var free = Holder is null && LastEnded > DateTimeOffset.MinValue ? LastEnded + step - now.Schedule : TimeSpan.Zero;
        if (Holder is null && place == 0 && free <= TimeSpan.Zero)
        {
            _waiting.RemoveAt(0);
            (Holder, LastDelay, HeldUntil) = (host.Value, delay, now.Guards + hold);
            return new(++Turn, TimeSpan.Zero, Ahead: 0);
        }

        var ahead = place + (Holder is null ? 0 : 1);
        var wait = (free > TimeSpan.Zero ? free : TimeSpan.Zero) + (ahead * (step > LeastWait ? step : LeastWait));
        wait = wait > LeastWait ? wait : LeastWait;
        if (place < _waiting.Count)
        {
            _waiting[place] = (host, now.Schedule + wait + AddressTurn.Patience);
        }

        return new(Number: 0, wait, ahead);
    }

    /// <inheritdoc cref="IAddressGrain.GiveBack"/>
    internal void GiveBack(HostKey host, long turn, DateTimeOffset now)
    {
        if (Holder == host.Value && Turn == turn)
        {
            End(now);
        }
    }

    private void End(DateTimeOffset now) => (Holder, LastEnded) = (null, now);
}
