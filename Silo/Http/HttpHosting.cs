using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.Middleware;

namespace Silo.Http;

/// <summary>The HTTP port: where it is, and what a person sees who opens it in a browser.</summary>
public static class HttpHosting
{
    /// <summary>Of one request's body. Routes that take more say so.</summary>
    private const int MaxBodyBytes = 1024 * 1024;

    public static void AddHttp(this WebApplicationBuilder builder)
    {
        // Our own settings say where; ASPNETCORE_URLS and the like are overridden, and Kestrel warns of it.
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Limits.MaxConcurrentConnections = kestrel
                .ApplicationServices.GetRequiredService<IOptions<LimitsOptions>>()
                .Value.Connections;
            var doors = kestrel.ApplicationServices.GetRequiredService<Doors>();
            foreach (var door in doors.Open)
            {
                // Without TLS nothing tells the two apart on one port.
                kestrel.Listen(door.EndPoint, listen => listen.Protocols = door == doors.Grpc ? HttpProtocols.Http2 : HttpProtocols.Http1);
            }
        });
        DoorServer.Replace(builder.Services);
        builder.AddChain();
        builder.AddHealth();
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, RestJson.Default));
        builder.Services.AddOpenApi("v1", openApi => openApi.AddDocumentTransformer(
                (document, _, _) =>
                {
                    document.Info = new()
                    {
                        Title = About.Name,
                        Version = About.Version,
                        Description = About.Purpose,
                    };
                    document.Servers = []; // Wherever it was read from.
                    return Task.CompletedTask;
                }
            ));
    }

    /// <summary>What the routes take and answer, for programs: OpenAPI 3.1 at <c>/openapi/v1.json</c>.</summary>
    public static void MapDescription(this WebApplication app) => OpenApiRoutes(app).ForAll();

    private static IEndpointConventionBuilder OpenApiRoutes(WebApplication app) => app.MapOpenApi("/openapi/{documentName}.json");

    public static void MapFrontPage(this WebApplication app) => app.MapGet("/", (Doors doors) => Results.Text(Text(doors))).ForAll();

    private static string Text(Doors doors) =>
        $"""
            {About.Name} {About.Version}: {About.Purpose}

            /health/startup  200 when the silo has joined its cluster
            /health/ready    200 while it takes work: joined and not stopping
            /health/live     200 while the process answers
            /health          every check with its reason; 503 when one is unhealthy

            /openapi/v1.json what can be asked over HTTP, for programs
            /api/crawls      start, watch and export crawls
            /v1/logs         OTLP, from any OpenTelemetry SDK
            /api/logs        log records, one JSON object a line
            /api/orders      place orders, move them on, watch them
            /api/ledger      the books: in = done + refused + waiting
            /api/cluster     silos, activations, bytes
            /metrics         numbers for Prometheus
            /dashboard/      the dashboard of Orleans, for operators

            Once there are API keys, /api needs one: Authorization: Bearer KEY

            The console talks to the port for clients:
                dotnet run -c Release --project Client -- cluster status --gateway {doors.Gateway.EndPoint}

            """;
}
