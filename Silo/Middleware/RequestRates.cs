using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Silo.Middleware;

/// <summary>
/// So many requests a second under one key, and under all. What does not come by HTTP, as a click inside a circuit, counts against the
/// same.
/// </summary>
public sealed class RequestRates(IOptions<LimitsOptions> limits) : IDisposable
{
    private readonly PartitionedRateLimiter<string> _perKey = PartitionedRateLimiter.Create<string, string>(name =>
        RateLimitPartition.GetTokenBucketLimiter(name, _ => Bucket(limits.Value.PerKey))
    );

    private readonly PartitionedRateLimiter<string> _inAll = PartitionedRateLimiter.Create<string, string>(_ =>
        RateLimitPartition.GetTokenBucketLimiter("", _ => Bucket(limits.Value.InAll))
    );

    /// <summary>What is answered when this request is too much, 429; null when it may go on, and is counted.</summary>
    /// <param name="name">The name of the key.</param>
    public Problem? Refusal(string name) =>
        TooFast(_perKey, name, $"\"{name}\" may make {limits.Value.PerKey:0.###} requests a second")
        ?? TooFast(_inAll, name, $"All together may make {limits.Value.InAll:0.###} requests a second");

    public void Dispose()
    {
        _perKey.Dispose();
        _inAll.Dispose();
    }

    private static Problem? TooFast(PartitionedRateLimiter<string> limiter, string name, FormattableString rule)
    {
        using var lease = limiter.AttemptAcquire(name);
        if (lease.IsAcquired)
        {
            return null;
        }

        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var told) ? told : TimeSpan.FromSeconds(1);
        return new(
            StatusCodes.Status429TooManyRequests,
            $"{FormattableString.Invariant(rule)}. Come again when Retry-After is over.",
            RetryAfter: wait
        );
    }

    /// <summary>A second's worth of requests, filled up every second; where that is less than one, one at a time.</summary>
    private static TokenBucketRateLimiterOptions Bucket(double perSecond) =>
        new()
        {
            TokenLimit = Math.Max(1, (int)Math.Round(perSecond)),
            TokensPerPeriod = Math.Max(1, (int)Math.Round(perSecond)),
            ReplenishmentPeriod = TimeSpan.FromSeconds(Math.Max(1, 1 / perSecond)),
            QueueLimit = 0,
        };
}
