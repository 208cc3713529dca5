namespace Grains.Logs.Reading;

/// <summary>How many questions are answered at once. A few wait for a few seconds; whoever comes beyond that is told so.</summary>
/// <param name="setting">What sets <paramref name="places"/>.</param>
/// <param name="what">What they are for: <c>queries</c>, say.</param>
public sealed class QueryPlaces(
    int places,
    TimeSpan patience,
    TimeProvider guards,
    string setting = "Logs:Queries",
    string what = "queries"
) : IDisposable
{
    /// <summary>Who waits at most.</summary>
    public const int MaxWaiting = 16;

    public static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _free = new(places, places);
    private int _waiting;

    /// <summary>What is told to whoever gets none.</summary>
    public string Busy { get; } = $"This silo answers {places} {what} at once ({setting}), and others wait already. Ask again in a moment.";

    /// <summary>A place until it is disposed; null when there is none.</summary>
    public async Task<IDisposable?> Take(CancellationToken cancel)
    {
        if (_free.Wait(0, CancellationToken.None))
        {
            return new Place(_free);
        }

        try
        {
            if (Interlocked.Increment(ref _waiting) > MaxWaiting)
            {
                return null;
            }

            using var over = new CancellationTokenSource(patience, guards);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, over.Token);
            await _free.WaitAsync(either.Token);
            return new Place(_free);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    public void Dispose() => _free.Dispose();

    private sealed class Place(SemaphoreSlim free) : IDisposable
    {
        private SemaphoreSlim? _free = free;

        public void Dispose() => Interlocked.Exchange(ref _free, null)?.Release();
    }
}

/// <summary>The time that a question may work; what passes between its steps does not count.</summary>
public sealed class WorkingTime(TimeSpan limit, TimeProvider guards)
{
    private TimeSpan _spent;

    public TimeSpan Spent => _spent;

    /// <summary>A sentence for when it is over.</summary>
    public string Over { get; } =
        $"It took longer than {limit.TotalSeconds:0.#} s (Logs:QueryTime) and was stopped. Ask for a shorter time or less of it.";

    /// <summary>
    /// Works, and cancels the work when the time is over: then it throws <see cref="OperationCanceledException"/>, as it does when
    /// <paramref name="cancel"/> says so.
    /// </summary>
    public async Task<T> Work<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        using var over = new CancellationTokenSource(limit > _spent ? limit - _spent : TimeSpan.Zero, guards);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, over.Token);
        var began = guards.GetTimestamp();
        try
        {
            either.Token.ThrowIfCancellationRequested();
            return await work(either.Token);
        }
        finally
        {
            _spent += guards.GetElapsedTime(began);
        }
    }
}
