using System.Globalization;
using Polly.CircuitBreaker;

namespace Grains.Orders.Deliveries.Webhooks;

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
/// A circuit breaker for one endpoint (Polly): when of at least <see cref="Least"/> requests within <see cref="Sampling"/> half met nobody,
/// time-outs, 429 or 5xx, none goes out
/// for <see cref="FirstBreak"/>; then one, and if that fails for twice as long, up to <see cref="LongestBreak"/>.
/// </summary>
/// <remarks>
/// A request that is not sent is no attempt: what is due stays due until the circuit lets it out. Other answers (400, 404, a redirect) are
/// those of an endpoint that is up.
/// </remarks>
public sealed class EndpointBreaker
{
    public const int Least = Circuit<WebhookOutcome>.Least;

    public static readonly TimeSpan Sampling = Circuit<WebhookOutcome>.Sampling;

    public static readonly TimeSpan FirstBreak = Circuit<WebhookOutcome>.FirstBreak;

    public static readonly TimeSpan LongestBreak = Circuit<WebhookOutcome>.LongestBreak;

    private readonly Circuit<WebhookOutcome> _circuit;

    /// <param name="closed">Called when it closes after it was open: whoever keeps the pace begins slowly. May be called on another
    /// thread.</param>
    public EndpointBreaker(TimeProvider clock, Action? closed = null) => _circuit = new("webhook-endpoint", IsDown, clock, closed);

    public EndpointCircuit Circuit =>
        _circuit.State switch
        {
            CircuitState.Closed => EndpointCircuit.Closed,
            CircuitState.HalfOpen => EndpointCircuit.HalfOpen,
            _ => EndpointCircuit.Open,
        };

    /// <summary>Sends, or answers <see cref="WebhookOutcome.IsNoAttempt"/> and when to come again.</summary>
    public Task<WebhookOutcome> Send(Func<CancellationToken, Task<WebhookOutcome>> send, CancellationToken cancel) =>
        _circuit.Send(send, NotSent, cancel);

    /// <summary>Nobody answered, or what did is overloaded or broken.</summary>
    public static bool IsDown(WebhookOutcome outcome) =>
        !outcome.IsNoAttempt && outcome.Verdict is not WebhookVerdict.Delivered && outcome.Status is null or 429 or >= 500;

    private static WebhookOutcome NotSent(TimeSpan wait) =>
        WebhookOutcome.Failed(
            WebhookFailure.CircuitOpen,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Not sent: the endpoint failed too often just now, and is asked again in {wait.TotalSeconds:0.###} s."
            )
        ) with
        {
            RetryAfter = wait,
        };
}
