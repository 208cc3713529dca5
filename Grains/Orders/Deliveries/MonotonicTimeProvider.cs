namespace Grains.Orders.Deliveries;

/// <summary>
/// A clock's time that goes on as its timestamps do: whoever sets the clock an hour forth or back does not make a wait an hour shorter or
/// longer.
/// </summary>
internal sealed class MonotonicTimeProvider(TimeProvider clock) : TimeProvider
{
    private readonly DateTimeOffset _began = clock.GetUtcNow();
    private readonly long _mark = clock.GetTimestamp();

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _began + clock.GetElapsedTime(_mark);

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime, period);
}
