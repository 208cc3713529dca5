using Silo.Endpoints;
using Silo.Middleware;
using Silo.Settings;
using Silo.StartUp;

namespace Silo.Http;

/// <summary>HTTP: its port, the chain that every request passes, health, and the description of the API.</summary>
public sealed class HttpModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(HttpOptions), typeof(LimitsOptions)];

    public IEnumerable<ListeningEndpoint> Endpoints(IConfiguration configuration) =>
        [configuration.Read<HttpOptions>().Endpoint(configuration.Read<ListenOptions>())];

    public void AddServices(WebApplicationBuilder builder) => builder.AddHttp();

    public void MapRoutes(WebApplication app)
    {
        app.UseChain();
        app.MapHealth();
        app.MapDescription();
        app.MapApiPage();
    }
}
