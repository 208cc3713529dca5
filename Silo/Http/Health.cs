using System.Globalization;
using Grains;
using Grains.Storage;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Silo.Endpoints;
using Silo.Middleware;
using Silo.Storage;

namespace Silo.Http;

/// <summary>
/// Health for those who start, stop and route: <c>/health/startup</c> (joined the cluster), <c>/health/ready</c> (may be given work),
/// <c>/health/live</c> (this process answers; nothing outside it is asked, so that trouble elsewhere restarts nobody). <c>/health</c> shows
/// every check
/// with its reason, for people and alerts.
/// </summary>
/// <remarks>
/// A silo is ready when it has joined and is not stopping, nothing else: what routes may close the ports between silos too where a silo is
/// not ready, and
/// trouble of a store that all share would part them. A front, which keeps nothing and only passes on, is ready when a silo answers and its
/// store takes writes.
/// </remarks>
public static class Health
{
    /// <summary>How long the store may take to answer a read.</summary>
    public static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Every check.</summary>
    public const string Path = "/health";

    /// <summary>The tag of what must hold while work is given.</summary>
    public const string Ready = "ready";

    private const string Startup = "startup";

    public static void AddHealth(this WebApplicationBuilder builder)
    {
        var checks = builder.Services.AddHealthChecks();
        string[] ofFront = builder.IsFront() ? [Ready] : [];
        _ = builder.IsFront()
            ? checks.AddCheck<SilosAnswer>("silos", tags: [Startup, Ready])
            : checks.AddCheck<Joined>("joined", tags: [Startup, Ready]);
        checks
            .AddCheck<NotStopping>("not-stopping", tags: [Ready])
            .AddCheck<StoreAnswers>("store", tags: ofFront)
            .AddCheck<WritesSucceed>("writes", tags: ofFront);
    }

    public static void MapHealth(this WebApplication app)
    {
        Map(app, Path, check => true);
        Map(app, $"{Path}/{Startup}", check => check.Tags.Contains(Startup));
        Map(app, $"{Path}/{Ready}", check => check.Tags.Contains(Ready));
        Map(app, $"{Path}/live", check => false);
    }

    private static void Map(WebApplication app, string path, Func<HealthCheckRegistration, bool> which) =>
        app.MapHealthChecks(path, new HealthCheckOptions { Predicate = which, ResponseWriter = Write })
            .ForAll(unlimited: true)
            .WithMetadata(new OnOtlpEndpoint());

    /// <summary>
    /// Why a check does not pass, in words that may be shown to anybody; null when it gives none. The message of an exception may carry a
    /// path.
    /// </summary>
    internal static string? Why(HealthReportEntry entry) =>
        entry.Exception is { } failure ? $"it failed ({failure.GetType().Name})" : entry.Description;

    /// <summary>One line of text per check: <c>store: Unhealthy, it did not answer within 2 s</c>.</summary>
    private static Task Write(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        var lines = report.Entries.Select(entry => $"{entry.Key}: {entry.Value.Status}{(Why(entry.Value) is { } why ? ", " + why : "")}\n");
        return context.Response.WriteAsync($"{report.Status}\n{string.Concat(lines)}", context.RequestAborted);
    }

    internal sealed class Joined(ISiloStatusOracle members) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(
                members.CurrentStatus == SiloStatus.Active
                    ? HealthCheckResult.Healthy()
                    : HealthCheckResult.Unhealthy($"the silo is {members.CurrentStatus} in its cluster")
            );
    }

    /// <summary>Of a front: a silo answers it.</summary>
    internal sealed class SilosAnswer(IGrainFactory grains, [FromKeyedServices(Clocks.Guards)] TimeProvider guards) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await grains
                    .GetGrain<IManagementGrain>(0)
                    .GetHosts(onlyActive: true, cancellationToken)
                    .WaitAsync(StoreTimeout, guards, cancellationToken);
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
            Task.FromResult(
                application.ApplicationStopping.IsCancellationRequested
                    ? HealthCheckResult.Unhealthy("the silo is stopping")
                    : HealthCheckResult.Healthy()
            );
    }

    internal sealed class StoreAnswers(ITableStore tables, [FromKeyedServices(Clocks.Guards)] TimeProvider guards) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                using var bound = new CancellationTokenSource(StoreTimeout, guards);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
                await tables
                    .Get(DataFormat.Table, DataFormat.Partition, DataFormat.VersionKey, either.Token)
                    .AsTask()
                    .WaitAsync(StoreTimeout, guards, cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception failure)
                when (failure is TimeoutException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                return HealthCheckResult.Unhealthy($"it did not answer within {StoreTimeout.TotalSeconds:0} s");
            }
        }
    }

    /// <summary>
    /// Writes to every table and to the blobs succeed, as far as this process knows: its last write to each, and those of
    /// <see cref="WriteProbe"/>.
    /// </summary>
    internal sealed class WritesSucceed(WriteHealth writes) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(
                writes.Failing is { Count: > 0 } failing
                    ? HealthCheckResult.Unhealthy(
                        string.Join(
                            "; ",
                            failing.Select(part =>
                                string.Create(
                                    CultureInfo.InvariantCulture,
                                    $"{part.Part} cannot be written: {part.Reason} (since {part.Since:HH:mm:ss}Z, "
                                        + $"{part.Failures:N0} failed)"
                                )
                            )
                        )
                    )
                    : HealthCheckResult.Healthy()
            );
    }
}
