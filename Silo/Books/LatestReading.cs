namespace Silo.Books;

/// <summary>
/// Something of the whole cluster that metrics show: read when somebody collects them and the last reading is older than
/// <see cref="Interval"/>. Whoever collects does not wait and gets the last reading. While nobody collects, nothing is read. Thread-safe.
/// </summary>
/// <param name="read">Reads it, and gives the thread back at its first wait; one reading at a time, for <see cref="MaxRead"/> at
/// most.</param>
/// <param name="clock">For the age of a reading.</param>
/// <param name="guards">For how long one reading may take.</param>
/// <param name="failed">Told why a reading failed; the next collection tries again.</param>
internal sealed class LatestReading<T>(
    Func<CancellationToken, Task<T>> read,
    TimeProvider clock,
    TimeProvider guards,
    Action<Exception> failed
)
{
    /// <summary>The least time between the beginnings of two readings.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>A reading that takes longer has failed.</summary>
    public static readonly TimeSpan MaxRead = TimeSpan.FromSeconds(20);

    private readonly Lock _lock = new();
    private (T Value, long At)? _last;
    private long? _began;
    private Task _reading = Task.CompletedTask;

    /// <summary>False before the first reading has ended.</summary>
    /// <param name="age">Since the reading ended.</param>
    public bool TryGet(out T value, out TimeSpan age)
    {
        lock (_lock)
        {
            if (_reading.IsCompleted && (_began is not { } began || clock.GetElapsedTime(began) >= Interval))
            {
                _began = clock.GetTimestamp();
                _reading = Read();
            }

            (value, age) = _last is { } last ? (last.Value, clock.GetElapsedTime(last.At)) : (default!, TimeSpan.Zero);
            return _last is not null;
        }
    }

    private async Task Read()
    {
        try
        {
            using var over = new CancellationTokenSource(MaxRead, guards);
            var value = await read(over.Token).WaitAsync(over.Token);
            lock (_lock)
            {
                _last = (value, clock.GetTimestamp());
            }
        }
        catch (Exception failure)
        {
            failed(failure); // The age of the last reading grows.
        }
    }
}
