using Grains;
using Grains.Storage;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Silo.Middleware;
using Silo.Storage;

namespace Silo.Http;

/// <summary>
/// Health for those who start, stop and route: <c>/health/startup</c> (joined the cluster), <c>/health/ready</c> (may be given work),
/// <c>/health/live</c> (this process answers; nothing outside it is asked, so that trouble elsewhere restarts nobody).
/// </summary>
public static class Health
{
    /// <summary>How long the store may take to answer a read.</summary>
    public static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(2);

    /// <summary>The tag of what must hold while work is given.</summary>
    public const string Ready = "ready";

    private const string Startup = "startup";

    public static void AddHealth(this WebApplicationBuilder builder)
    {
        var checks = builder.Services.AddHealthChecks();
        _ = builder.IsFront() ? checks.AddCheck<SilosAnswer>("silos", tags: [Startup, Ready]) : checks.AddCheck<Joined>("joined", tags: [Startup, Ready]);
        checks.AddCheck<NotStopping>("not-stopping", tags: [Ready]).AddCheck<StoreAnswers>("store", tags: [Ready]);
    }

    public static void MapHealth(this WebApplication app)
    {
        Map(app, Startup, check => check.Tags.Contains(Startup));
        Map(app, Ready, check => check.Tags.Contains(Ready));
        Map(app, "live", check => false);
    }

    private static void Map(WebApplication app, string name, Func<HealthCheckRegistration, bool> which) =>
        app.MapHealthChecks($"/health/{name}", new HealthCheckOptions { Predicate = which, ResponseWriter = Write }).ForAll(unlimited: true).WithMetadata(new AtOtlpDoor());

    /// <summary>One line of text per check: <c>store: Unhealthy, it did not answer within 2 s</c>.</summary>
    private static Task Write(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        var lines = report.Entries.Select(entry => $"{entry.Key}: {entry.Value.Status}{(entry.Value.Description is { } why ? ", " + why : "")}\n");
        return context.Response.WriteAsync($"{report.Status}\n{string.Concat(lines)}", context.RequestAborted);
    }

    internal sealed class Joined(ISiloStatusOracle members) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(members.CurrentStatus == SiloStatus.Active
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"the silo is {members.CurrentStatus} in its cluster"));
    }

    /// <summary>Of a front: a silo answers it.</summary>
    internal sealed class SilosAnswer(IGrainFactory grains, [FromKeyedServices(Clocks.Guards)] TimeProvider guards) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true, cancellationToken).WaitAsync(StoreTimeout, guards, cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception failure) when (failure is OrleansException or TimeoutException)
            {
                return HealthCheckResult.Unhealthy($"no silo answered within {StoreTimeout.TotalSeconds:0} s");
            }
        }
    }

    internal sealed class NotStopping(IHostApplicationLifetime application) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(application.ApplicationStopping.IsCancellationRequested
                ? HealthCheckResult.Unhealthy("the silo is stopping")
                : HealthCheckResult.Healthy());
    }

    internal sealed class StoreAnswers(ITableStore tables, [FromKeyedServices(Clocks.Guards)] TimeProvider guards) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                using var bound = new CancellationTokenSource(StoreTimeout, guards);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
                await tables.Get(DataFormat.Table, DataFormat.Partition, DataFormat.VersionKey, either.Token).AsTask().WaitAsync(StoreTimeout, guards, cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception failure) when (failure is TimeoutException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                return HealthCheckResult.Unhealthy($"it did not answer within {StoreTimeout.TotalSeconds:0} s");
            }
        }
    }
}
