namespace Doubles;

/// <summary>
/// A clock that stands still until a test lets time pass: to the next due timer, again and again, while it waits for something
/// (<see cref="PassUntil(string, Func{Task{bool}}, DateTimeOffset?, TimeSpan?)"/>),
/// or by a span that the test is about (<see cref="Pass"/>). What comes due is begun on the thread that lets time pass, each timer at its
/// own time.
/// </summary>
/// <remarks>
/// Nobody can tell when a silo is idle, so a jump may come early. That makes something due and ends nothing, because the time-outs and
/// leases of work in flight are on another clock than
/// the schedule. Where a test asserts something of which time is the end, it waits for it with time standing still
/// (<see cref="StandUntil(string, Func{Task{bool}})"/>).
/// </remarks>
public sealed class VirtualClock(DateTimeOffset start) : TimeProvider
{
    /// <summary>In real time, for one wait. It is for what hangs, and not for what is slow.</summary>
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(5);

    /// <summary>In real time, between two questions: others get the processor. Nothing rests on its length.</summary>
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// What is set for this or sooner is no schedule but the pace of work itself, such as the pull of Orleans' streams: it runs in real
    /// time, and
    /// this clock does not move with it. So events reach their consumers while the clock stands still.
    /// </summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly SortedSet<VirtualTimer> _timers = new(
        Comparer<VirtualTimer>.Create(
            static (one, other) => one.Due != other.Due ? one.Due.CompareTo(other.Due) : one.Number.CompareTo(other.Number)
        )
    );

    private DateTimeOffset _zero = start;
    private TimeSpan _passed;
    private long _numbers;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>When the next timer is due; null when none is set.</summary>
    public DateTimeOffset? NextDue
    {
        get
        {
            lock (_lock)
            {
                return _timers.Min is { } next ? _zero + next.Due : null;
            }
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _zero + _passed;
        }
    }

    public override long GetTimestamp()
    {
        lock (_lock)
        {
            return _passed.Ticks;
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(this, callback, state, Interlocked.Increment(ref _numbers));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Somebody sets the clock: its time is another, and no timer notices.</summary>
    public void Set(DateTimeOffset now)
    {
        lock (_lock)
        {
            _zero = now - _passed;
        }
    }

    /// <summary>
    /// So much time passes at once. A periodic timer that is due several times meanwhile is begun once, as after a machine's sleep.
    /// </summary>
    public void Pass(TimeSpan span)
    {
        TimeSpan end;
        lock (_lock)
        {
            end = _passed + span;
        }

        while (TakeDue(end) is { } due)
        {
            due.Begin();
        }

        lock (_lock)
        {
            _passed = end > _passed ? end : _passed;
        }
    }

    /// <summary>Time passes until then; nothing happens when that is over.</summary>
    public void PassTo(DateTimeOffset time)
    {
        if (time - GetUtcNow() is { Ticks: > 0 } span)
        {
            Pass(span);
        }
    }

    /// <summary>Lets time pass, from one due timer to the next, until it is so.</summary>
    /// <param name="what">What is waited for, as the end of "Waited in vain for …".</param>
    /// <param name="isSo">Asked before the first jump and after each.</param>
    /// <param name="latest">Time passes no further than this: what is asserted of the time is true however long the wait takes.</param>
    /// <param name="reach">Only to timers that are due within this; null: to any. For what has a time limit on the schedule itself, beside
    /// which other timers only make time run away.</param>
    public async Task PassUntil(string what, Func<Task<bool>> isSo, DateTimeOffset? latest = null, TimeSpan? reach = null) =>
        await Until(what, isSo, () => Jump(latest, reach));

    /// <inheritdoc cref="PassUntil(string, Func{Task{bool}}, DateTimeOffset?, TimeSpan?)"/>
    public Task PassUntil(string what, Func<bool> isSo, DateTimeOffset? latest = null, TimeSpan? reach = null) =>
        PassUntil(what, () => Task.FromResult(isSo()), latest, reach);

    /// <summary>Lets time pass, from one due timer to the next, until the task has ended, and is as it is.</summary>
    /// <inheritdoc cref="PassUntil(string, Func{Task{bool}}, DateTimeOffset?, TimeSpan?)"/>
    public async Task PassUntil(string what, Task ended, DateTimeOffset? latest = null, TimeSpan? reach = null)
    {
        await PassUntil(what, () => ended.IsCompleted, latest, reach);
        await ended;
    }

    /// <inheritdoc cref="PassUntil(string, Task, DateTimeOffset?, TimeSpan?)"/>
    public async Task<T> PassUntil<T>(string what, Task<T> ended, DateTimeOffset? latest = null, TimeSpan? reach = null)
    {
        await PassUntil(what, () => ended.IsCompleted, latest, reach);
        return await ended;
    }

    /// <summary>Waits until it is so, and no time passes meanwhile.</summary>
    /// <inheritdoc cref="PassUntil(string, Func{Task{bool}}, DateTimeOffset?, TimeSpan?)"/>
    public static Task StandUntil(string what, Func<Task<bool>> isSo) => Until(what, isSo, static () => { });

    /// <inheritdoc cref="StandUntil(string, Func{Task{bool}})"/>
    public static Task StandUntil(string what, Func<bool> isSo) => StandUntil(what, () => Task.FromResult(isSo()));

    /// <inheritdoc cref="StandUntil(string, Func{Task{bool}})"/>
    public static async Task StandUntil(string what, Task ended)
    {
        await ((Task)ended.WaitAsync(Hang, TimeProvider.System)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await (ended.IsCompleted ? ended : Task.FromException(InVain(what)));
    }

    private static async Task Until(string what, Func<Task<bool>> isSo, Action between)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            if (TimeProvider.System.GetElapsedTime(began) > Hang)
            {
                throw InVain(what);
            }

            between();
            await Task.Delay(Breath, TimeProvider.System);
        }
    }

    private static TimeoutException InVain(string what) => new($"Waited in vain for {what}, {Hang.TotalMinutes:0} minutes of real time.");

    /// <summary>To the next due timer; nothing when none is set, or it is too far away.</summary>
    private void Jump(DateTimeOffset? latest, TimeSpan? reach)
    {
        TimeSpan due;
        lock (_lock)
        {
            if (_timers.Min is not { } next || _zero + next.Due > latest || next.Due - _passed > reach)
            {
                return;
            }

            due = next.Due;
        }

        while (TakeDue(due) is { } timer)
        {
            timer.Begin();
        }
    }

    /// <summary>The next timer that is due by then; its time has come, and it is set for its next period after that.</summary>
    private VirtualTimer? TakeDue(TimeSpan end)
    {
        lock (_lock)
        {
            if (_timers.Min is not { } timer || timer.Due > end)
            {
                return null;
            }

            _timers.Remove(timer);
            _passed = timer.Due > _passed ? timer.Due : _passed;
            if (timer.Period > TimeSpan.Zero)
            {
                timer.Due += timer.Period * (Math.Floor((end - timer.Due) / timer.Period) + 1);
                _timers.Add(timer);
            }

            return timer;
        }
    }

    private void SetTimer(VirtualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        lock (_lock)
        {
            _timers.Remove(timer);
            timer.BeginAfter(Timeout.InfiniteTimeSpan);
            timer.Period = period == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : period;
            if (dueTime != Timeout.InfiniteTimeSpan && !timer.IsDisposed)
            {
                timer.Due = _passed + dueTime;
                if (dueTime > TimeSpan.Zero && dueTime <= Pace)
                {
                    timer.BeginAfter(dueTime);
                    return;
                }

                if (dueTime > TimeSpan.Zero)
                {
                    _timers.Add(timer);
                    return;
                }

                if (timer.Period > TimeSpan.Zero)
                {
                    timer.Due += timer.Period;
                    _timers.Add(timer);
                }
            }
            else
            {
                return;
            }
        }

        // What is due at once needs no time to pass; and never within the call that sets it.
        ThreadPool.UnsafeQueueUserWorkItem(static timer => timer.Begin(), timer, preferLocal: false);
    }

    private sealed class VirtualTimer(VirtualClock clock, TimerCallback callback, object? state, long number) : ITimer
    {
        private readonly ExecutionContext? _context = ExecutionContext.Capture();
        private Timer? _real;

        public long Number => number;

        public TimeSpan Due { get; set; }

        public TimeSpan Period { get; set; }

        public bool IsDisposed { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.SetTimer(this, dueTime, period);
            return !IsDisposed;
        }

        /// <summary>In real time; infinite: not at all.</summary>
        public void BeginAfter(TimeSpan dueTime)
        {
            if (_real is not null || dueTime != Timeout.InfiniteTimeSpan)
            {
                _real ??= new(
                    static timer => ((VirtualTimer)timer!).BeginInRealTime(),
                    this,
                    Timeout.InfiniteTimeSpan,
                    Timeout.InfiniteTimeSpan
                );
                _real.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }

        private void BeginInRealTime()
        {
            if (Period > TimeSpan.Zero)
            {
                clock.SetTimer(this, Period, Period);
            }

            Begin();
        }

        /// <summary>In the context of whoever set the timer up, as a timer of the system does: nothing of the test's goes along.</summary>
        public void Begin()
        {
            if (IsDisposed)
            {
                return;
            }

            var around = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(null);
            try
            {
                if (_context is null)
                {
                    callback(state);
                }
                else
                {
                    ExecutionContext.Run(_context, callback.Invoke, state);
                }
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(around);
            }
        }

        public void Dispose()
        {
            IsDisposed = true;
            Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _real?.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
