using Grains.Orders;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Silo.Orders;

/// <summary>No subscriber in this process is halted because its cursor is not of the feed that is there.</summary>
internal sealed class SubscribersGoOn(OrdersMetrics metrics) : IHealthCheck
{
    /// <summary>Told of by name; the others are counted.</summary>
    private const int MostNamed = 3;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var halted = metrics.Stopped.OrderBy(one => one.Key.ToString(), StringComparer.Ordinal).ToList();
        var named = string.Join("; ", halted.Take(MostNamed).Select(one => $"subscriber {one.Key} is halted: {one.Value}"));
        return Task.FromResult(
            halted.Count switch
            {
                0 => HealthCheckResult.Healthy(),
                > MostNamed => HealthCheckResult.Degraded($"{named}; and {halted.Count - MostNamed} more"),
                _ => HealthCheckResult.Degraded(named),
            }
        );
    }
}
