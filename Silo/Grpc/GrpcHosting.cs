using Grains.Interfaces.Keys;
using Silo.Http;
using Silo.Middleware;
using Silo.Settings;

namespace Silo.Grpc;

/// <summary>The gRPC port: orders, and the standard services for health and reflection, behind the same chain as HTTP.</summary>
public static class GrpcHosting
{
    public static void AddGrpcEndpoint(this WebApplicationBuilder builder)
    {
        builder.Services.AddSettings<GrpcOptions>(builder.Configuration);
        // What nobody knows is answered by the chain, and needs no key.
        builder.Services.AddGrpc(grpc =>
        {
            grpc.IgnoreUnknownServices = true;
            grpc.Interceptors.Add<GrpcAvailability>();
        });
        // It takes a client that hangs up within a message for a failure of the service; those are logged by GrpcAvailability.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.Critical);
        builder.Services.AddGrpcReflection();
        builder.Services.AddGrpcHealthChecks(health => health.Services.Map("", check => check.Tags.Contains(Health.Ready)));
    }

    public static void MapGrpc(this WebApplication app)
    {
        app.MapGrpcHealthChecksService().ForAll(unlimited: true);
        app.MapGrpcReflectionService().For(ApiRole.Reader);
    }
}
