using Polly;
using Polly.CircuitBreaker;

namespace Grains.Orders.Deliveries;

/// <summary>
/// A circuit breaker (Polly) for one place that things are sent to: when of at least <see cref="Least"/> tries within
/// <see cref="Sampling"/> half found it down, nothing goes out
/// for <see cref="FirstBreak"/>; then one, and if that fails for twice as long, up to <see cref="LongestBreak"/>.
/// </summary>
/// <remarks>What is not sent is no attempt: what is due stays due until the circuit lets it out.</remarks>
public sealed class Circuit<TOutcome>
    where TOutcome : class
{
    public const int Least = 5;

    public static readonly TimeSpan Sampling = TimeSpan.FromSeconds(60);

    public static readonly TimeSpan FirstBreak = TimeSpan.FromSeconds(15);

    public static readonly TimeSpan LongestBreak = TimeSpan.FromMinutes(5);

    private readonly ResiliencePipeline<TOutcome> _pipeline;
    private readonly CircuitBreakerStateProvider _state = new();

    /// <param name="isDown">The outcome says that the place is down; others say that it is up, whatever it answered.</param>
    /// <param name="closed">Called when it closes after it was open: whoever keeps the pace begins slowly. May be called on another
    /// thread.</param>
    public Circuit(string name, Func<TOutcome, bool> isDown, TimeProvider clock, Action? closed = null)
    {
        _pipeline = new ResiliencePipelineBuilder<TOutcome> { TimeProvider = clock }
            .AddCircuitBreaker(
                new CircuitBreakerStrategyOptions<TOutcome>
                {
                    Name = name,
                    FailureRatio = 0.5,
                    MinimumThroughput = Least,
                    SamplingDuration = Sampling,
                    BreakDurationGenerator = static arguments => ValueTask.FromResult(Break(arguments.HalfOpenAttempts)),
                    ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Result is { } outcome && isDown(outcome)),
                    StateProvider = _state,
                    OnClosed = _ =>
                    {
                        closed?.Invoke();
                        return ValueTask.CompletedTask;
                    },
                }
            )
            .Build();
    }

    public CircuitState State => _state.CircuitState;

    /// <summary>Sends, or answers what <paramref name="refused"/> makes of the time after which to come again.</summary>
    public async Task<TOutcome> Send(
        Func<CancellationToken, Task<TOutcome>> send,
        Func<TimeSpan, TOutcome> refused,
        CancellationToken cancel
    )
    {
        try
        {
            return await _pipeline
                .ExecuteAsync(static async (send, cancel) => await send(cancel).ConfigureAwait(false), send, cancel)
                .ConfigureAwait(false);
        }
        catch (BrokenCircuitException broken)
        {
            // While another try finds out whether the place is back the time is not known, or over already: that try may take longer than
            // the break.
            return refused(broken.RetryAfter is { Ticks: > 0 } wait ? wait : TimeSpan.FromSeconds(1));
        }
    }

    private static TimeSpan Break(int halfOpenAttempts)
    {
        var time = FirstBreak * Math.Pow(2, Math.Min(halfOpenAttempts, 10));
        return time < LongestBreak ? time : LongestBreak;
    }
}
