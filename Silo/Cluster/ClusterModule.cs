using Silo.Endpoints;
using Silo.StartUp;

namespace Silo.Cluster;

/// <summary>The cluster: its members, streams and reminders, and what its operators ask, the API keys among it.</summary>
public sealed class ClusterModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(ClusterOptions), typeof(ListenOptions), typeof(InstanceOptions)];

    public void AddServices(WebApplicationBuilder builder) => builder.AddCluster();

    public void MapRoutes(WebApplication app)
    {
        app.MapCluster();
        app.MapKeys();
    }
}
