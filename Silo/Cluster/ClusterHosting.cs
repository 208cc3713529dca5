using Grains;
using Grains.Crawling.Workers;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Silo.Endpoints;
using Silo.Http;
using Silo.Middleware;
using Silo.Settings;
using Silo.StartUp;
using Silo.Storage;
using ClusterOptions = Silo.Endpoints.ClusterOptions;

namespace Silo.Cluster;

/// <summary>Where the cluster keeps its members, on which ports it is reached, and its streams.</summary>
public static class ClusterHosting
{
    /// <summary>How long the silo may take to hand over its grains and leave; whoever stops it should wait 30 s.</summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(25);

    /// <summary>
    /// Grains of which a silo remembers where they are, so as not to ask the directory: about 400 bytes each. Orleans' million would fill
    /// up with orders and URLs that are asked once and left.
    /// </summary>
    private const int KnownPlaces = 50_000;

    public static void AddCluster(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<ClusterOptions>(builder.Configuration);
        services.AddSettings<ListenOptions>(builder.Configuration);
        services.AddSettings<InstanceOptions>(builder.Configuration);
        services.AddRestJson(ClusterJson.Default).AddRestJson(KeysJson.Default);
        services.AddStartUpCheck<PortCheck>();
        services.Configure<HostOptions>(host =>
        {
            host.ShutdownTimeout = ShutdownTimeout;

            // A service beside the grains that fails for good is logged as an error; it does not end the silo.
            host.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore;
        });
        services
            .AddOptions<Orleans.Configuration.ClusterOptions>()
            .Configure<IOptions<ClusterOptions>>(
                (orleans, ours) =>
                {
                    orleans.ClusterId = ours.Value.Id;
                    orleans.ServiceId = ClusterNames.ServiceId;
                }
            );
        if (builder.IsFront())
        {
            AddClient(builder);
        }
        else
        {
            AddSilo(builder);
        }
    }

    private static void AddSilo(WebApplicationBuilder builder)
    {
        builder.Services.AddStartUpCheck<LostMembers>();
        var kind = builder.GetStorageKind();
        builder.UseOrleans(silo =>
        {
            silo.UseStoredClustering(kind);
            silo.AddGrainChain();
            silo.Services.Insert(0, ServiceDescriptor.Singleton<IGrainInterfaceTypeProvider, KnownInterfaceTypes>());
            silo.AddFastStreams(CrawlStreams.Provider);
            silo.Services.AddOptions<SiloOptions>()
                .Configure<ListeningEndpoints>((orleans, endpoints) => orleans.SiloName = endpoints.SiloName);
            silo.Services.AddOptions<EndpointOptions>().Configure<ListeningEndpoints>(Listen);
            silo.Configure<GrainDirectoryOptions>(directory => directory.CacheSize = KnownPlaces);
            silo.Configure<ClusterMembershipOptions>(NoticeDeathsSoon);
        });
        builder.Services.AddSingleton<IMembershipLease>(provider => new MembershipLease(
            cancel => IsMember(provider, cancel),
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards),
            provider.GetRequiredService<ILogger<MembershipLease>>()
        ));
        builder.Services.AddWakeUps();
    }

    private static void AddClient(WebApplicationBuilder builder)
    {
        var kind = builder.GetStorageKind();
        builder.UseOrleansClient(client =>
        {
            client.UseStoredClustering(kind);
            client.AddGrainChain();
            client.UseConnectionRetryFilter<ConnectRetryFilter>();
            // A silo that was killed and one that started are found this soon.
            client.Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(5));
        });
    }

    /// <summary>
    /// A killed silo is noticed after about four seconds, one that stands still or is cut off after about eight. Orleans adapts the
    /// time-out of a probe, and the time between two, to what it measures; it has no vote cast while a connection to the silo has brought
    /// anything
    /// within three times the longest time-out, which is a minute as Orleans has it.
    /// </summary>
    private static void NoticeDeathsSoon(ClusterMembershipOptions membership)
    {
        membership.ProbeTimeout = TimeSpan.FromSeconds(2);
        membership.MaxProbeTimeout = TimeSpan.FromSeconds(2.5);
    }

    private static async Task<bool> IsMember(IServiceProvider provider, CancellationToken cancel)
    {
        var silo = provider.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        var row = await provider.GetRequiredService<IMembershipTable>().ReadRowAsync(silo, cancel);
        return row.Members is [{ Item1.Status: not SiloStatus.Dead }];
    }

    private static void Listen(EndpointOptions orleans, ListeningEndpoints endpoints)
    {
        orleans.AdvertisedIPAddress = endpoints.AdvertisedSilo.Address;
        orleans.SiloPort = endpoints.AdvertisedSilo.Port;
        orleans.GatewayPort = endpoints.AdvertisedGateway.Port;
        orleans.SiloListeningEndpoint = endpoints.Silo.EndPoint;
        orleans.GatewayListeningEndpoint = endpoints.Gateway.EndPoint;
    }
}
