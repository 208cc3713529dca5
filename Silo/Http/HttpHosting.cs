using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.Middleware;
using Silo.Settings;

namespace Silo.Http;

/// <summary>The server of HTTP, and the description of what it answers.</summary>
public static class HttpHosting
{
    /// <summary>Of one request's body. Routes that take more say so.</summary>
    private const int MaxBodyBytes = 1024 * 1024;

    public static void AddHttp(this WebApplicationBuilder builder)
    {
        builder.Services.AddSettings<HttpOptions>(builder.Configuration);
        // Our own settings say where; ASPNETCORE_URLS and the like are overridden, and Kestrel warns of it.
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Limits.MaxConcurrentConnections = kestrel
                .ApplicationServices.GetRequiredService<IOptions<LimitsOptions>>()
                .Value.Connections;
            foreach (var endpoint in kestrel.ApplicationServices.GetRequiredService<ListeningEndpoints>().Open)
            {
                // Without TLS nothing tells the two apart on one port.
                kestrel.Listen(endpoint.EndPoint, listen =>
                    listen.Protocols = endpoint.Protocol == EndpointProtocol.Grpc ? HttpProtocols.Http2 : HttpProtocols.Http1
                );
            }
        });
        EndpointServer.Replace(builder.Services);
        builder.AddChain();
        builder.AddHealth();
        builder.Services.AddApiDescription();
    }

    /// <summary>What the routes take and answer, for programs: OpenAPI 3.1 at <c>/openapi/v1.json</c>.</summary>
    public static void MapDescription(this WebApplication app) => OpenApiRoutes(app).ForAll();

    private static IEndpointConventionBuilder OpenApiRoutes(WebApplication app) => app.MapOpenApi("/openapi/{documentName}.json");
}
