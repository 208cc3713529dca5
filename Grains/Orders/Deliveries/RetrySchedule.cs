using System.Collections.Immutable;

namespace Grains.Orders.Deliveries;

/// <summary>When a delivery is tried: at once, and after waits that grow. Told the time and given chance, so the same calls give the same answers.</summary>
public sealed class RetrySchedule
{
    /// <summary>A wait is up to so much of it longer, by chance: what failed together does not come back together.</summary>
    public const double Jitter = 0.1;

    private readonly ImmutableArray<TimeSpan> _waits;

    /// <param name="waits">Before the first attempt, before the second and so on; at least one, none below zero.</param>
    /// <param name="longestRetryAfter">No Retry-After is waited for longer than this.</param>
    public RetrySchedule(ImmutableArray<TimeSpan> waits, TimeSpan longestRetryAfter)
    {
        if (waits.IsDefaultOrEmpty || waits.Any(wait => wait < TimeSpan.Zero))
        {
            throw new ArgumentException("A schedule has at least one wait, and none below zero.", nameof(waits));
        }

        _waits = waits;
        LongestRetryAfter = longestRetryAfter;
    }

    /// <summary>Standard Webhooks 1.0, «Retry schedule»: ten attempts over three days.</summary>
    public static RetrySchedule Webhooks { get; } = new(
        [
            TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2),
            TimeSpan.FromHours(5), TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
        ],
        TimeSpan.FromHours(24));

    /// <summary>RFC 5321 §4.5.4.1: at least half an hour apart after the first tries (which meet greylisting and short breaks), given up after four to five days.</summary>
    public static RetrySchedule Mail { get; } = new(
        [
            TimeSpan.Zero, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2),
            TimeSpan.FromHours(4), TimeSpan.FromHours(8), TimeSpan.FromHours(16), TimeSpan.FromHours(24), TimeSpan.FromHours(24), TimeSpan.FromHours(24),
        ],
        TimeSpan.FromHours(24));

    public int Attempts => _waits.Length;

    public TimeSpan LongestRetryAfter { get; }

    /// <summary>When the next attempt is due; null when there is none left.</summary>
    /// <param name="made">Attempts made so far; 0 for a delivery that is new.</param>
    /// <param name="now">When the last of them ended.</param>
    /// <param name="retryAfter">What the other side asked to wait for. The longer wait counts; at most <see cref="LongestRetryAfter"/> of it.</param>
    /// <param name="chance">From 0 to below 1.</param>
    public DateTimeOffset? Next(int made, DateTimeOffset now, TimeSpan? retryAfter, double chance)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(made);
        ArgumentOutOfRangeException.ThrowIfNegative(chance);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(chance, 1);
        if (made >= _waits.Length)
        {
            return null;
        }

        var wait = _waits[made];
        var asked = retryAfter ?? TimeSpan.Zero;
        if (asked > LongestRetryAfter)
        {
            asked = LongestRetryAfter;
        }

        // The jitter is added to what was asked for too: whoever throttles many would otherwise meet all of them at once.
        var longer = asked > wait ? asked : wait;
        return now + longer + (longer * (Jitter * chance));
    }
}
