using Grains.Storage;
using Orleans.Clustering.AzureStorage;
using Orleans.Messaging;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Silo.Storage;

/// <summary>
/// Where Orleans itself keeps members and grain states. On Azure that is Orleans' own providers, in the tables <c>OrleansSiloInstances</c>
/// and <c>OrleansGrainState</c>; on one machine small adapters over the <see cref="ITableStore"/> that is registered as a service
/// (docs/decisions/0001-storage-providers.md).
/// </summary>
public static class OrleansStorageHosting
{
    /// <summary>Which store the settings ask for, for those who register what depends on it.</summary>
    public static StorageKind GetStorageKind(this WebApplicationBuilder builder) =>
        builder.Configuration.GetSection(StorageOptions.Section).Get<StorageOptions>()?.Kind ?? StorageKind.Local;

    /// <summary>The members of the cluster, for a silo.</summary>
    public static ISiloBuilder UseStoredClustering(this ISiloBuilder silo, StorageKind kind) =>
        kind == StorageKind.Azure
            ? silo.UseAzureStorageClustering(options => options.Configure<AzureAccount>(UseAccount))
            : silo.UseTableClustering();

    /// <summary>The gateways of the cluster, for a front end, which reads them where the silos keep themselves.</summary>
    public static IClientBuilder UseStoredClustering(this IClientBuilder client, StorageKind kind) =>
        kind == StorageKind.Azure
            ? client.UseAzureStorageClustering(options => options.Configure<AzureAccount>(UseAccount))
            : client.UseTableClustering();

    /// <summary>The grain states of storage <paramref name="name"/>. Any text is a key: on Azure its hash is stored.</summary>
    /// <param name="table">Where the states are on one machine.</param>
    public static ISiloBuilder AddStoredGrainStorage(this ISiloBuilder silo, StorageKind kind, string name, string table) =>
        kind == StorageKind.Azure ? silo.AddAzureGrainStorage(name) : silo.AddTableGrainStorage(name, table);

    /// <summary>Grain states in a table of the <see cref="ITableStore"/>.</summary>
    /// <param name="table">Its name; null: that of the storage.</param>
    public static ISiloBuilder AddTableGrainStorage(this ISiloBuilder silo, string name, string? table = null)
    {
        StoreLimits.CheckTable(table ?? name);
        silo.Services.AddGrainStorage(name, (services, storage) =>
            new TableGrainStorage(
                storage,
                table ?? name,
                services.GetRequiredService<ITableStore>(),
                Serializer(services),
                services.GetRequiredService<IActivatorProvider>()
            )
        );
        return silo;
    }

    /// <summary>The members of the cluster in table <c>cluster</c> of the <see cref="ITableStore"/>.</summary>
    public static ISiloBuilder UseTableClustering(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<IMembershipTable, TableMembershipTable>();
        return silo;
    }

    /// <summary>For a client that can read the table itself: gateways from table <c>cluster</c>.</summary>
    public static IClientBuilder UseTableClustering(this IClientBuilder client)
    {
        client.Services.AddSingleton<IMembershipTable, TableMembershipTable>();
        client.Services.AddSingleton<IGatewayListProvider, TableGateways>();
        return client;
    }

    /// <summary>Grain states in table <c>OrleansGrainState</c>, under hashed keys.</summary>
    private static ISiloBuilder AddAzureGrainStorage(this ISiloBuilder silo, string name)
    {
        var unhashed = name + ".azure";
        silo.AddAzureTableGrainStorage(unhashed, options => options.Configure<AzureAccount, IServiceProvider>(
                (storage, account, services) =>
                {
                    storage.TableServiceClient = account.OrleansTables;
                    storage.DeleteStateOnClear = true;
                    storage.GrainStorageSerializer = Serializer(services);
                }
            ));
        silo.Services.AddGrainStorage(name, (services, _) =>
            new HashedKeyGrainStorage(services.GetRequiredKeyedService<IGrainStorage>(unhashed))
        );
        return silo;
    }

    private static void UseAccount(AzureStorageOperationOptions orleans, AzureAccount account) =>
        orleans.TableServiceClient = account.OrleansTables;

    private static OrleansGrainStorageSerializer Serializer(IServiceProvider services) => new(services.GetRequiredService<Serializer>());
}
