using Grains.Interfaces.Books;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Orders;
using Unit.Client;

namespace Unit.Silo;

/// <summary>Finds the grains of a cluster in memory by their keys.</summary>
internal sealed class GrainsInMemory(ClusterInMemory cluster) : IGrainFactory
{
    public TGrainInterface GetGrain<TGrainInterface>(long primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithIntegerKey =>
        (TGrainInterface)(
            typeof(TGrainInterface) switch
            {
                var type when type == typeof(ICrawlListGrain) => cluster.Crawls,
                var type when type == typeof(ILedgerGrain) => (object)cluster.Ledger,
                var type when type == typeof(IClusterStatusGrain) => cluster.Status,
                var type when type == typeof(IApiKeysGrain) => cluster.KnownKeys,
                var type when type == typeof(ILogRulesGrain) => cluster.LogRules,

                var type when type == typeof(IOrderListGrain) => cluster.KnownOrders,
                var type when type == typeof(IOrderWatchGrain) => cluster.KnownWatch,
                var type when type == typeof(ISubscriberListGrain) => cluster.KnownSubscribers,
                var type when type == typeof(IAuditGrain) => new AuditInMemory(cluster.KnownOrders),
                var type when type == typeof(IOrderMailGrain) => cluster.KnownMail,

                var type when type == typeof(IWebhookListGrain) => cluster.KnownWebhooks,
                var type => throw new NotSupportedException(type.Name),
            }
        );

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey =>
        typeof(TGrainInterface) == typeof(IOrderGrain) ? (TGrainInterface)cluster.KnownOrders.Order(OrderId.Parse(primaryKey))
        : typeof(TGrainInterface) == typeof(IWebhookEndpointGrain) ? (TGrainInterface)cluster.KnownWebhooks.Endpoint(primaryKey)
        : (TGrainInterface)cluster.Crawl(CrawlId.Parse(primaryKey));

    public TGrainInterface GetGrain<TGrainInterface>(Guid primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithGuidKey => throw new NotSupportedException();

    public TGrainInterface GetGrain<TGrainInterface>(Guid primaryKey, string keyExtension, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithGuidCompoundKey => throw new NotSupportedException();

    public TGrainInterface GetGrain<TGrainInterface>(long primaryKey, string keyExtension, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithIntegerCompoundKey => throw new NotSupportedException();

    public TGrainObserverInterface CreateObjectReference<TGrainObserverInterface>(IGrainObserver obj)
        where TGrainObserverInterface : IGrainObserver => throw new NotSupportedException();

    public void DeleteObjectReference<TGrainObserverInterface>(IGrainObserver obj)
        where TGrainObserverInterface : IGrainObserver => throw new NotSupportedException();

    public IGrain GetGrain(Type grainInterfaceType, Guid grainPrimaryKey) => throw new NotSupportedException();

    public IGrain GetGrain(Type grainInterfaceType, long grainPrimaryKey) => throw new NotSupportedException();

    public IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey) => throw new NotSupportedException();

    public IGrain GetGrain(Type grainInterfaceType, Guid grainPrimaryKey, string keyExtension) => throw new NotSupportedException();

    public IGrain GetGrain(Type grainInterfaceType, long grainPrimaryKey, string keyExtension) => throw new NotSupportedException();

    public IAddressable GetGrain(Type grainInterfaceType, IdSpan grainKey) => throw new NotSupportedException();

    public IAddressable GetGrain(Type grainInterfaceType, IdSpan grainKey, string grainClassNamePrefix) =>
        throw new NotSupportedException();

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable => throw new NotSupportedException();

    public IAddressable GetGrain(GrainId grainId) => throw new NotSupportedException();

    public IAddressable GetGrain(GrainId grainId, GrainInterfaceType interfaceType) => throw new NotSupportedException();
}
