using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace Doubles;

/// <summary>
/// A clock that a test moves, and that tells what waits for it. Where another thread is on its way to a wait, the test moves the clock when
/// that wait has begun
/// (<see cref="Armed"/>): time that passes before would be lost to it.
/// </summary>
public sealed class TestClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    private readonly Channel<TimeSpan> _armed = Channel.CreateUnbounded<TimeSpan>();
    private readonly Lock _gate = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _awaited = [];
    private int _timers;

    public TestClock()
        : this(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)) { }

    /// <summary>
    /// Ends with the next timer that is set to go off in <paramref name="due"/>. Each time that one is set is told once, in order; others
    /// are passed over.
    /// </summary>
    public async Task Armed(TimeSpan due, CancellationToken cancel)
    {
        while (await _armed.Reader.ReadAsync(cancel) != due) { }
    }

    /// <summary>Ends when no more than so many timers are there: each is until it is disposed of.</summary>
    public Task TimersLeft(int count)
    {
        lock (_gate)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((count, reached));
            Tell();
            return reached.Task;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, base.CreateTimer(callback, state, dueTime, period));
        lock (_gate)
        {
            _timers++;
        }

        _armed.Writer.TryWrite(dueTime);
        return timer;
    }

    private void Gone()
    {
        lock (_gate)
        {
            _timers--;
            Tell();
        }
    }

    private void Tell()
    {
        foreach (var (count, reached) in _awaited)
        {
            if (_timers <= count)
            {
                reached.TrySetResult();
            }
        }
    }

    private sealed class Timer(TestClock clock, ITimer timer) : ITimer
    {
        private int _isGone;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var isChanged = timer.Change(dueTime, period);
            clock._armed.Writer.TryWrite(dueTime);
            return isChanged;
        }

        public void Dispose()
        {
            timer.Dispose();
            if (Interlocked.Exchange(ref _isGone, 1) == 0)
            {
                clock.Gone();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await timer.DisposeAsync();
            Dispose();
        }
    }
}
