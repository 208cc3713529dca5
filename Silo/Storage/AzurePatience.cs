namespace Silo.Storage;

/// <summary>Bounds on calls to Azure Storage.</summary>
/// <param name="Attempts">Tries of one read or one write, the first included.</param>
/// <param name="AttemptTimeout">How long one try may take.</param>
/// <param name="WholeTimeout">How long all tries of a write, its pauses, and the reading that settles it may take together.</param>
/// <param name="FirstPause">Before the second try; doubled before each later one.</param>
/// <param name="LongestPause">No pause is longer, whatever the service asks for.</param>
public sealed record AzureBounds(int Attempts, TimeSpan AttemptTimeout, TimeSpan WholeTimeout, TimeSpan FirstPause, TimeSpan LongestPause)
{
    /// <summary>Within the half minute that a call between grains may take.</summary>
    public static AzureBounds Usual { get; } =
        new(
            Attempts: 5,
            AttemptTimeout: TimeSpan.FromSeconds(8),
            WholeTimeout: TimeSpan.FromSeconds(25),
            FirstPause: TimeSpan.FromMilliseconds(200),
            LongestPause: TimeSpan.FromSeconds(5)
        );
}

/// <summary>
/// Tries, pauses and gives up, in place of the SDK's own retries, which are off: it would send a write again without knowing what became of
/// the first one.
/// </summary>
/// <param name="chance">A number from 0 to 1, for the spread of pauses.</param>
internal sealed partial class AzurePatience(AzureBounds bounds, TimeProvider clock, Func<double> chance, ILogger logger)
{
    public AzureBounds Bounds => bounds;

    public TimeProvider Clock => clock;

    /// <summary>A read: tried again after whatever may pass.</summary>
    public Task<T> Read<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancel) => Read(read, bounds.AttemptTimeout, cancel);

    public async Task<T> Read<T>(Func<CancellationToken, Task<T>> read, TimeSpan timeout, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Once(read, timeout, cancel);
            }
            catch (Exception failure) when (attempt < bounds.Attempts && AzureFailures.Kind(failure) != AzureFailure.Refused)
            {
                await Pause(attempt, failure, cancel);
            }
        }
    }

    /// <summary>One try.</summary>
    /// <exception cref="TimeoutException">It took too long; what it asked for may still be done.</exception>
    public async Task<T> Once<T>(Func<CancellationToken, Task<T>> call, TimeSpan timeout, CancellationToken cancel)
    {
        using var bound = new CancellationTokenSource(timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancel);
        try
        {
            return await call(either.Token);
        }
        catch (OperationCanceledException stopped) when (bound.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new TimeoutException($"Azure Storage did not answer within {timeout.TotalSeconds:0.###} s.", stopped);
        }
    }

    /// <summary>Waits before the next try.</summary>
    public Task Pause(int attempt, Exception cause, CancellationToken cancel)
    {
        var pause = PauseAfter(attempt, AzureFailures.AskedPause(cause));
        LogTryAgain(attempt, AzureFailures.Sentence(cause), pause);
        return Task.Delay(pause, clock, cancel);
    }

    /// <summary>
    /// Doubled with each try, spread over its upper half so that silos do not come back together; what the service asks for is the least.
    /// </summary>
    internal TimeSpan PauseAfter(int attempt, TimeSpan asked)
    {
        var doubled = Math.Min(bounds.FirstPause.Ticks * Math.Pow(2, attempt - 1), bounds.LongestPause.Ticks);
        var spread = doubled * (0.5 + (0.5 * chance()));
        return TimeSpan.FromTicks((long)Math.Min(Math.Max(spread, asked.Ticks), bounds.LongestPause.Ticks));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Azure Storage: try {Attempt} failed ({Reason}); the next one in {Pause}")]
    private partial void LogTryAgain(int attempt, string reason, TimeSpan pause);
}
