using Grains.Logs;
using Grains.Logs.Reading;
using Silo.Endpoints;
using Silo.Settings;
using Silo.StartUp;

namespace Silo.Logs;

/// <summary>The log pipeline in the silo: where records come in, rules, and questions about what is stored.</summary>
public sealed class LogsModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(LogsOptions), typeof(LogReadingOptions), typeof(LogEndpointsOptions)];

    public IEnumerable<ListeningEndpoint> Endpoints(IConfiguration configuration) =>
        configuration.Read<LogEndpointsOptions>().Endpoints(configuration.Read<ListenOptions>());

    public void AddServices(WebApplicationBuilder builder)
    {
        builder.AddLogs();
        builder.AddLogReading();
        builder.AddLogEndpoints();
    }

    public void MapRoutes(WebApplication app)
    {
        app.MapLogIntake();
        app.MapLogRules();
        app.MapLogQueries();
    }
}
