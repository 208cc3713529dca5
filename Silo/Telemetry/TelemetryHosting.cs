using System.Diagnostics.Metrics;
using Grains.Crawling.Fetching;
using Grains.Interfaces.Books;
using Grains.Interfaces.Keys;
using Grains.Logs;
using Grains.Logs.Segments;
using Grains.Orders;
using Grains.Orders.Tracing;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Orleans.Dashboard;
using Silo.Books;
using Silo.Endpoints;
using Silo.Middleware;
using Silo.Middleware.Grains;
using Silo.StartUp;
using Silo.Storage;

namespace Silo.Telemetry;

/// <summary>
/// Metrics at <c>/metrics</c> for Prometheus; and metrics, traces and the log to an OpenTelemetry collector when the standard environment
/// variables
/// (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and its kin) name one. The dashboard of Orleans, for operators.
/// </summary>
public static class TelemetryHosting
{
    private const string Dashboard = "/dashboard";

    /// <summary>
    /// Where the buckets of what is measured in seconds end: from a call between grains to a slow fetch. OpenTelemetry's own are for
    /// milliseconds.
    /// </summary>
    private static readonly double[] Seconds = [0.0001, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        Measure(builder.Services);
        builder.Services.AddSingleton(provider =>
            ActivatorUtilities.CreateInstance<BooksMetrics>(provider, (CancellationToken cancel) =>
                provider.GetRequiredService<IGrainFactory>().GetGrain<ILedgerGrain>(0).Read(cancel)
            )
        );
        var telemetry = builder.Services.AddOpenTelemetry();
        if (builder.Configuration["OTEL_SERVICE_NAME"] is null)
        {
            telemetry.ConfigureResource(resource => resource.AddService("orleans-silo", serviceVersion: About.Version));
        }

        var calls = builder.Configuration.GetSection(TelemetryOptions.Section).Get<TelemetryOptions>() is { Calls: true };
        telemetry.WithMetrics(metrics =>
            metrics
                .AddMeter(
                    FetchMetrics.Meter,
                    LogsMetrics.Meter,
                    OrdersMetrics.Meter,
                    RequestMetrics.Meter,
                    MeasuredTableStore.Meter,
                    BooksMetrics.Meter,
                    "System.Runtime",
                    "Microsoft.AspNetCore.Server.Kestrel"
                )
                .AddMeter(calls ? [CallMetrics.Meter, "Microsoft.Orleans"] : [])
                .AddView(instrument =>
                    instrument is Histogram<double> { Unit: "s" } ? new ExplicitBucketHistogramConfiguration { Boundaries = Seconds } : null
                )
                .AddPrometheusExporter()
        );
        if (Sends(builder.Configuration, "TRACES"))
        {
            telemetry.WithTracing(traces =>
                traces
                    .AddSource(
                        "Microsoft.AspNetCore",
                        "Microsoft.Orleans.Application",
                        FetchMetrics.Traces.Name,
                        LogsTracing.Name,
                        OrdersTracing.Name
                    )
                    .AddOtlpExporter()
            );
        }

        if (Sends(builder.Configuration, "METRICS"))
        {
            telemetry.WithMetrics(metrics => metrics.AddOtlpExporter());
        }

        if (Sends(builder.Configuration, "LOGS"))
        {
            telemetry.WithLogging(logs => OpenTelemetry.Logs.OtlpLogExporterHelperExtensions.AddOtlpExporter(logs));
        }

        if (builder.IsFront())
        {
            builder.UseOrleansClient(client => client.AddDashboard());
        }
        else
        {
            builder.UseOrleans(silo => AddDashboard(silo, calls));
        }
    }

    public static void MapTelemetry(this WebApplication app)
    {
        app.Services.GetRequiredService<BooksMetrics>(); // Its instruments are there from now on.
        app.MapPrometheusScrapingEndpoint("/metrics").For(ApiRole.Reader);
        MapDashboard(app);
    }

    /// <summary>Whether there is somewhere to send this kind to, and nobody said not to (<c>OTEL_TRACES_EXPORTER=none</c>).</summary>
    internal static bool Sends(IConfiguration configuration, string kind) =>
        (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? configuration[$"OTEL_EXPORTER_OTLP_{kind}_ENDPOINT"]) is { Length: > 0 }
        && configuration[$"OTEL_{kind}_EXPORTER"] != "none"
        && configuration["OTEL_SDK_DISABLED"] != "true";

    /// <summary>
    /// The dashboard compresses its files when it is mapped, which is a tenth of what a start costs: so it is mapped below this route when
    /// somebody first asks for it. What it maps is behind this route's role, and in no description of the API.
    /// </summary>
    private static void MapDashboard(WebApplication app)
    {
        var dashboard = new Lazy<RequestDelegate>(() =>
        {
            var below = ((IApplicationBuilder)app).New();
            below.UseRouting();
            below.UseEndpoints(routes => routes.MapOrleansDashboard(Dashboard).ExcludeFromDescription());
            return below.Build();
        });
        app.MapGet(Dashboard + "/{**path}", context =>
            {
                context.SetEndpoint(null);
                context.Request.RouteValues.Clear();
                return dashboard.Value(context);
            })
            .For(ApiRole.Operator)
            .WithMetadata(new ForBrowsers())
            .ExcludeFromDescription();
    }

    /// <summary>
    /// The dashboard measures every call by a filter of its own; without that it shows silos and activations, and costs nothing on the way.
    /// </summary>
    private static void AddDashboard(ISiloBuilder silo, bool calls)
    {
        IServiceCollection services = silo.Services;
        var before = services.Where(IsCallFilter).ToHashSet();
        silo.AddDashboard();
        foreach (var profiler in services.Where(service => !calls && IsCallFilter(service) && !before.Contains(service)).ToArray())
        {
            services.Remove(profiler);
        }

        static bool IsCallFilter(ServiceDescriptor service) =>
            service.ServiceType == typeof(IIncomingGrainCallFilter) || service.ServiceType == typeof(IOutgoingGrainCallFilter);
    }

    /// <summary>Whatever the stores are, they are measured.</summary>
    private static void Measure(IServiceCollection services)
    {
        var store = services.Last(service => service.ServiceType == typeof(ITableStore)).ImplementationFactory
            ?? throw new InvalidOperationException("The table store is registered by a factory.");
        services.Replace(
            ServiceDescriptor.Singleton<ITableStore>(provider => new MeasuredTableStore(
                (ITableStore)store(provider),
                provider.GetRequiredService<WriteHealth>(),
                provider.GetRequiredService<IMeterFactory>(),
                provider.GetRequiredService<TimeProvider>()
            ))
        );
        var blobs = services.Last(service => service.ServiceType == typeof(IBlobStore)).ImplementationFactory
            ?? throw new InvalidOperationException("The blob store is registered by a factory.");
        services.Replace(
            ServiceDescriptor.Singleton<IBlobStore>(provider =>
                MeasuredBlobStore.Of((IBlobStore)blobs(provider), provider.GetRequiredService<WriteHealth>())
            )
        );
    }
}
