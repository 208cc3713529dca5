using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Streams;
using Silo.Cluster;
using Silo.Http;
using Silo.Settings;
using Silo.StartUp;
using Silo.Storage;
using ClusterOptions = Silo.Cluster.ClusterOptions;

namespace Silo;

/// <summary>Where the cluster keeps its members, on which ports it is reached, and its streams.</summary>
public static class SiloHosting
{
    /// <summary>How long the silo may take to hand over its grains and leave; whoever stops it should wait 30 s.</summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(25);

    public static void AddCluster(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<ClusterOptions>(builder.Configuration);
        services.AddSettings<ListenOptions>(builder.Configuration);
        services.AddSettings<InstanceOptions>(builder.Configuration);
        services.AddSettings<HttpOptions>(builder.Configuration);
        services.AddSingleton(provider => new Doors(Of<ClusterOptions>(provider), Of<HttpOptions>(provider), Of<ListenOptions>(provider), Of<InstanceOptions>(provider)));
        services.AddStartUpCheck<PortCheck>();
        services.AddStartUpCheck<LostMembers>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.UseOrleans(silo =>
        {
            silo.UseTableClustering();
            silo.AddTableReminders();
            silo.AddMemoryStreams(CrawlStreams.Provider, Crawling);
            silo.Services.AddOptions<Orleans.Configuration.ClusterOptions>().Configure<IOptions<ClusterOptions>>((orleans, ours) =>
            {
                orleans.ClusterId = ours.Value.Id;
                orleans.ServiceId = ClusterNames.ServiceId;
            });
            silo.Services.AddOptions<SiloOptions>().Configure<Doors>((orleans, doors) => orleans.SiloName = $"silo-{doors.Instance}");
            silo.Services.AddOptions<EndpointOptions>().Configure<Doors>(Listen);
        });
        services.AddWakeUps();
    }

    private static void Listen(EndpointOptions orleans, Doors doors)
    {
        orleans.AdvertisedIPAddress = doors.Silo.EndPoint.Address;
        orleans.SiloPort = doors.Silo.EndPoint.Port;
        orleans.GatewayPort = doors.Gateway.EndPoint.Port;
        orleans.SiloListeningEndpoint = doors.Silo.EndPoint;
        orleans.GatewayListeningEndpoint = doors.Gateway.EndPoint;
    }

    /// <summary>
    /// Events wait a few milliseconds at most, and go out up to a hundred at once. Only implicit subscriptions: no rendezvous, and nothing to store.
    /// </summary>
    private static void Crawling(ISiloMemoryStreamConfigurator streams)
    {
        streams.ConfigurePartitioning(2);
        streams.ConfigureStreamPubSub(StreamPubSubType.ImplicitOnly);
        streams.ConfigurePullingAgent(agent => agent.Configure(options =>
        {
            options.GetQueueMsgsTimerPeriod = TimeSpan.FromMilliseconds(10);
            options.BatchContainerBatchSize = 100;
        }));
    }

    private static T Of<T>(IServiceProvider provider)
        where T : class =>
        provider.GetRequiredService<IOptions<T>>().Value;
}
