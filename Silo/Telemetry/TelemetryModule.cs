using Silo.StartUp;

namespace Silo.Telemetry;

/// <summary>The log, metrics, traces and Orleans' dashboard. After the stores, which it measures.</summary>
public sealed class TelemetryModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(LogOptions), typeof(TelemetryOptions)];

    public void AddServices(WebApplicationBuilder builder) => builder.AddTelemetry();

    public void MapRoutes(WebApplication app) => app.MapTelemetry();
}
