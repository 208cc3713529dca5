using Silo.Endpoints;
using Silo.Settings;
using Silo.StartUp;

namespace Silo.Grpc;

/// <summary>gRPC: its port, health and reflection. The systems map their own services.</summary>
public sealed class GrpcModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(GrpcOptions)];

    public IEnumerable<ListeningEndpoint> Endpoints(IConfiguration configuration) =>
        [configuration.Read<GrpcOptions>().Endpoint(configuration.Read<ListenOptions>())];

    public void AddServices(WebApplicationBuilder builder) => builder.AddGrpcEndpoint();

    public void MapRoutes(WebApplication app) => app.MapGrpc();
}
