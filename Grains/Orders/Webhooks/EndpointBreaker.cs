using System.Globalization;
using Polly;
using Polly.CircuitBreaker;

namespace Grains.Orders.Webhooks;

/// <summary>What an endpoint's circuit is.</summary>
public enum EndpointCircuit
{
    /// <summary>Requests go out.</summary>
    Closed,

    /// <summary>None goes out for a while.</summary>
    Open,

    /// <summary>One goes out, and decides.</summary>
    HalfOpen,
}

/// <summary>
/// A circuit breaker for one endpoint (Polly): when of at least <see cref="Least"/> requests within <see cref="Sampling"/> half met nobody, time-outs, 429 or 5xx, none goes out
/// for <see cref="FirstBreak"/>; then one, and if that fails for twice as long, up to <see cref="LongestBreak"/>.
/// </summary>
/// <remarks>A request that is not sent is no attempt: what is due stays due until the circuit lets it out. Other answers (400, 404, a redirect) are those of an endpoint that is up.</remarks>
public sealed class EndpointBreaker
{
    public const int Least = 5;

    public static readonly TimeSpan Sampling = TimeSpan.FromSeconds(60);

    public static readonly TimeSpan FirstBreak = TimeSpan.FromSeconds(15);

    public static readonly TimeSpan LongestBreak = TimeSpan.FromMinutes(5);

    private readonly ResiliencePipeline<WebhookOutcome> _pipeline;
    private readonly CircuitBreakerStateProvider _state = new();

    /// <param name="closed">Called when it closes after it was open: whoever keeps the pace begins slowly. May be called on another thread.</param>
    public EndpointBreaker(TimeProvider clock, Action? closed = null)
    {
        _pipeline = new ResiliencePipelineBuilder<WebhookOutcome> { TimeProvider = clock }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<WebhookOutcome>
            {
                Name = "webhook-endpoint",
                FailureRatio = 0.5,
                MinimumThroughput = Least,
                SamplingDuration = Sampling,
                BreakDurationGenerator = static arguments => ValueTask.FromResult(Break(arguments.HalfOpenAttempts)),
                ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Result is { } outcome && IsDown(outcome)),
                StateProvider = _state,
                OnClosed = _ =>
                {
                    closed?.Invoke();
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    public EndpointCircuit Circuit => _state.CircuitState switch
    {
        CircuitState.Closed => EndpointCircuit.Closed,
        CircuitState.HalfOpen => EndpointCircuit.HalfOpen,
        _ => EndpointCircuit.Open,
    };

    /// <summary>Sends, or answers <see cref="WebhookOutcome.IsNoAttempt"/> and when to come again.</summary>
    public async Task<WebhookOutcome> Send(Func<CancellationToken, Task<WebhookOutcome>> send, CancellationToken cancel)
    {
        try
        {
            return await _pipeline.ExecuteAsync(static async (send, cancel) => await send(cancel).ConfigureAwait(false), send, cancel).ConfigureAwait(false);
        }
        catch (BrokenCircuitException broken)
        {
            // None is known while another request tries whether the endpoint is back.
            var wait = broken.RetryAfter ?? TimeSpan.FromSeconds(1);
            return WebhookOutcome.Failed(
                WebhookFailure.CircuitOpen,
                string.Create(CultureInfo.InvariantCulture, $"Not sent: the endpoint failed too often just now, and is asked again in {wait.TotalSeconds:0.###} s.")) with { RetryAfter = wait };
        }
    }

    /// <summary>Nobody answered, or what did is overloaded or broken.</summary>
    public static bool IsDown(WebhookOutcome outcome) =>
        !outcome.IsNoAttempt && outcome.Verdict is not WebhookVerdict.Delivered && outcome.Status is null or 429 or >= 500;

    private static TimeSpan Break(int halfOpenAttempts)
    {
        var time = FirstBreak * Math.Pow(2, Math.Min(halfOpenAttempts, 10));
        return time < LongestBreak ? time : LongestBreak;
    }
}
