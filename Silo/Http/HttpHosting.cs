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
            kestrel.Limits.MaxConcurrentConnections = kestrel.ApplicationServices.GetRequiredService<IOptions<LimitsOptions>>().Value.Connections;
            kestrel.Listen(kestrel.ApplicationServices.GetRequiredService<Doors>().Http.EndPoint);
        });
        builder.AddChain();
        builder.AddHealth();
    }

    public static void MapFrontPage(this WebApplication app) => app.MapGet("/", (Doors doors) => Results.Text(Text(doors))).ForAll();

    private static string Text(Doors doors) =>
        $"""
        {About.Name} {About.Version}: {About.Purpose}

        /health/startup  200 when the silo has joined its cluster
        /health/ready    200 while it takes work: joined, not stopping, and its store answers
        /health/live     200 while the process answers

        The console talks to the port for clients: dotnet run --project Client -- cluster status --gateway {doors.Gateway.EndPoint}

        """;
}
