using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Silo.Middleware;

/// <summary>
/// The places for answers that go on for long, <see cref="LimitsOptions.Streams"/> of them: exports and streams of events.
/// </summary>
public sealed class LongAnswers(IOptions<LimitsOptions> limits, RequestMetrics metrics) : IDisposable
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(5);

    private readonly ConcurrencyLimiter _places = new(new() { PermitLimit = limits.Value.Streams, QueueLimit = 0 });

    /// <summary>What is answered when there is no place.</summary>
    public Problem Full { get; } =
        new(
            StatusCodes.Status503ServiceUnavailable,
            $"All {limits.Value.Streams} places for long answers are taken (Limits:Streams). Come again when Retry-After is over.",
            RetryAfter: TryAgainAfter
        );

    /// <summary>A place until it is disposed; null when there is none.</summary>
    public IDisposable? Take()
    {
        var lease = _places.AttemptAcquire();
        if (lease.IsAcquired)
        {
            return new Place(lease, metrics);
        }

        lease.Dispose();
        return null;
    }

    public void Dispose() => _places.Dispose();

    private sealed class Place : IDisposable
    {
        private readonly RateLimitLease _lease;
        private readonly RequestMetrics _metrics;

        public Place(RateLimitLease lease, RequestMetrics metrics)
        {
            (_lease, _metrics) = (lease, metrics);
            metrics.OnStreamBegan();
        }

        public void Dispose()
        {
            _lease.Dispose();
            _metrics.OnStreamEnded();
        }
    }
}
