using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Silo.Middleware;

/// <summary>
/// So many requests a second under one key, and under all. Nothing waits here: what is too much is told when to come again.
/// </summary>
public sealed class RateLimit : IDisposable
{
    private readonly RequestDelegate _next;
    private readonly PartitionedRateLimiter<string> _perKey;
    private readonly PartitionedRateLimiter<string> _inAll;
    private readonly LimitsOptions _limits;

    public RateLimit(RequestDelegate next, IOptions<LimitsOptions> limits)
    {
        _next = next;
        _limits = limits.Value;
        _perKey = PartitionedRateLimiter.Create<string, string>(name =>
            RateLimitPartition.GetTokenBucketLimiter(name, _ => Bucket(_limits.PerKey))
        );
        _inAll = PartitionedRateLimiter.Create<string, string>(_ =>
            RateLimitPartition.GetTokenBucketLimiter("", _ => Bucket(_limits.InAll))
        );
    }

    public async Task InvokeAsync(HttpContext context)
    {
        if (
            context.GetEndpoint()?.Metadata is { } rules
            && (rules.GetMetadata<OpenToAll>() is { Unlimited: true } || rules.GetMetadata<TakesInBulk>() is not null)
        )
        {
            await _next(context);
            return;
        }

        var name = Caller.Of(context).Name;
        if (
            TooFast(_perKey, name, $"\"{name}\" may make {_limits.PerKey:0.###} requests a second") is { } problem
            || (problem = TooFast(_inAll, name, $"All together may make {_limits.InAll:0.###} requests a second")) is not null
        )
        {
            await problem.ExecuteAsync(context);
            return;
        }

        await _next(context);
    }

    public void Dispose()
    {
        _perKey.Dispose();
        _inAll.Dispose();
    }

    private static Problem? TooFast(PartitionedRateLimiter<string> limiter, string name, string rule)
    {
        using var lease = limiter.AttemptAcquire(name);
        if (lease.IsAcquired)
        {
            return null;
        }

        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var told) ? told : TimeSpan.FromSeconds(1);
        return new(
            StatusCodes.Status429TooManyRequests,
            FormattableString.Invariant($"{rule}. Come again when Retry-After is over."),
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
