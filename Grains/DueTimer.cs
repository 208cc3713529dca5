namespace Grains;

/// <summary>One timer for all that is due at some time: it is set to whatever comes first.</summary>
/// <remarks>Not thread-safe: it belongs to a grain and runs on its scheduler.</remarks>
/// <param name="clock">Tells what is due.</param>
/// <param name="arm">Sets the underlying timer to go off once after this time.</param>
public sealed class DueTimer(TimeProvider clock, Action<TimeSpan> arm)
{
    /// <summary>No timer is set for longer: it goes off, finds nothing due, and is set again.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>What is due already comes after this, so that whoever sets the timer is through first.</summary>
    public static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(1);

    private DateTimeOffset _due = DateTimeOffset.MaxValue;

    /// <summary>The timer goes off then at the latest. Null: nothing is due by itself.</summary>
    public void Set(DateTimeOffset? due)
    {
        var now = clock.GetUtcNow();
        if (due is not { } at || (_due > now && _due <= at))
        {
            return;
        }

        _due = at;
        var wait = at - now;
        arm(
            wait < ShortestWait ? ShortestWait
            : wait > LongestWait ? LongestWait
            : wait
        );
    }

    /// <summary>The timer went off: whatever is due next is to be set.</summary>
    public void WentOff() => _due = DateTimeOffset.MaxValue;
}
