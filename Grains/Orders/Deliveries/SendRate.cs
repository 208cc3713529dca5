namespace Grains.Orders.Deliveries;

/// <summary>
/// Requests per second to an endpoint. After a start or a return a sixteenth of them, twice as many every <see cref="Step"/>, so that a
/// backlog is ramped and not dumped.
/// </summary>
/// <remarks>
/// Told the time; a clock that jumps back costs at most one wait, one that jumps ahead frees one second's requests. For one thread at a
/// time.
/// </remarks>
public sealed class SendRate
{
    /// <summary>The rate doubles so often: after four steps it is full.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(5);

    private const int Steps = 4;

    private double _full;
    private DateTimeOffset _began;
    private DateTimeOffset _filled;
    private double _tokens = 1;

    /// <param name="perSecond">When it is full. More than zero; at most so many, and at least one, go at once.</param>
    public SendRate(double perSecond, DateTimeOffset now)
    {
        Full = perSecond;
        _began = now;
        _filled = now;
    }

    /// <summary>Requests per second when the rate is full. More than zero.</summary>
    public double Full
    {
        get => _full;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, 0);
            _full = value;
        }
    }

    /// <summary>Begins slowly again: the endpoint was enabled, or its circuit closed.</summary>
    public void Restart(DateTimeOffset now)
    {
        _began = now;
        _filled = now;
        _tokens = Math.Min(_tokens, 1);
    }

    /// <summary>Requests per second that are allowed at this time.</summary>
    public double Rate(DateTimeOffset now)
    {
        var steps = Math.Clamp((int)Math.Floor((now - _began) / Step), 0, Steps);
        return _full / (1 << (Steps - steps));
    }

    /// <summary>Zero: go, and it is counted. Otherwise how long until the next one may; nothing is counted then.</summary>
    public TimeSpan Wait(DateTimeOffset now)
    {
        if (now < _filled)
        {
            _filled = now;
            _began = now < _began ? now : _began;
        }

        var rate = Rate(now);
        _tokens = Math.Min(Math.Max(1, rate), _tokens + ((now - _filled).TotalSeconds * rate));
        _filled = now;

        // What rounding leaves below one is one.
        if (_tokens >= 1 - 1e-9)
        {
            _tokens -= 1;
            return TimeSpan.Zero;
        }

        return TimeSpan.FromSeconds((1 - _tokens) / rate) + TimeSpan.FromTicks(1);
    }
}
