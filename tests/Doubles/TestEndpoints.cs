using Silo.Endpoints;
using Silo.Grpc;
using Silo.Http;
using Silo.Logs;

namespace Doubles;

/// <summary>The ports of a silo with all its parts, from their options alone.</summary>
public static class TestEndpoints
{
    public static ListeningEndpoints Of(
        ClusterOptions cluster,
        HttpOptions http,
        GrpcOptions grpc,
        ListenOptions listen,
        InstanceOptions instance,
        LogEndpointsOptions? logs = null
    ) => new([http.Endpoint(listen), .. (logs ?? new()).Endpoints(listen), grpc.Endpoint(listen)], cluster, instance);
}
