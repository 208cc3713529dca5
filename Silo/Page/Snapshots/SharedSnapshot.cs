using Grains;

namespace Silo.Page.Snapshots;

/// <summary>A value as it was read.</summary>
/// <param name="Value">The last one that could be read; default while none could.</param>
/// <param name="Error">Why it could not be read since, a sentence; null when it is fresh.</param>
/// <param name="At">When <paramref name="Value"/> was read.</param>
public sealed record Sample<T>(T? Value, string? Error, DateTimeOffset At);

/// <summary>
/// One value for all who look at it: read once a second while somebody looks, whoever and however many they are, and not at all while
/// nobody does.
/// </summary>
/// <param name="read">Reads it; it is given up after <see cref="Timeout"/>.</param>
public sealed class SharedSnapshot<T>(
    Func<CancellationToken, Task<T>> read,
    Func<Exception, string> explain,
    TimeProvider clock,
    TimeProvider guards,
    ILogger logger
)
{
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>What takes long to read is read less often: it rests this many times as long as it took.</summary>
    private const int RestShare = 10;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly List<Func<Task>> _viewers = [];
    private Task<Sample<T>>? _reading;
    private Sample<T>? _last;
    private bool _runs;

    /// <summary>The last value, if it is not older than two periods; else one that is read now.</summary>
    public ValueTask<Sample<T>> Get() =>
        Volatile.Read(ref _last) is { } last && clock.GetUtcNow() - last.At < 2 * Period ? new(last) : new(Read());

    /// <summary>The last value, however old; null before the first.</summary>
    public Sample<T>? Last => Volatile.Read(ref _last);

    /// <summary>Whether somebody looks.</summary>
    public bool IsWatched
    {
        get
        {
            lock (_gate)
            {
                return _viewers is not [];
            }
        }
    }

    /// <summary>Calls <paramref name="changed"/> after each reading, until what it returns is disposed.</summary>
    public IDisposable Watch(Func<Task> changed)
    {
        lock (_gate)
        {
            _viewers.Add(changed);
            if (!_runs)
            {
                _runs = true;
                logger.Observe(Run());
            }
        }

        return new Viewer(this, changed);
    }

    private async Task Run()
    {
        await Task.Yield();
        while (IsStillWatched())
        {
            var since = clock.GetTimestamp();
            await Read();
            var rest = clock.GetElapsedTime(since) * RestShare;
            foreach (var viewer in Viewers())
            {
                logger.Observe(viewer());
            }

            await Task.Delay(rest > Period ? rest : Period, guards);
        }
    }

    /// <summary>False ends the run: the next viewer begins another.</summary>
    private bool IsStillWatched()
    {
        lock (_gate)
        {
            return _runs = _viewers is not [];
        }
    }

    private Func<Task>[] Viewers()
    {
        lock (_gate)
        {
            return [.. _viewers];
        }
    }

    /// <summary>One reading for all who wait for it.</summary>
    private Task<Sample<T>> Read()
    {
        lock (_gate)
        {
            return _reading is null or { IsCompleted: true } ? _reading = ReadOnce() : _reading;
        }
    }

    private async Task<Sample<T>> ReadOnce()
    {
        await Task.Yield();
        Sample<T> sample;
        try
        {
            using var bound = new CancellationTokenSource(Timeout, guards);
            sample = new(await read(bound.Token).WaitAsync(Timeout, guards), null, clock.GetUtcNow());
        }
        catch (Exception failure)
        {
            // It is shown, and tried again a second later.
            sample = new(_last is { } last ? last.Value : default, explain(failure), _last?.At ?? clock.GetUtcNow());
        }

        Volatile.Write(ref _last, sample);
        return sample;
    }

    private sealed class Viewer(SharedSnapshot<T> snapshot, Func<Task> changed) : IDisposable
    {
        public void Dispose()
        {
            lock (snapshot._gate)
            {
                snapshot._viewers.Remove(changed);
            }
        }
    }
}
