using Grains.Storage;
using Orleans.Messaging;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Silo.Storage;

/// <summary>Puts what Orleans keeps onto the <see cref="ITableStore"/> that is registered as a service.</summary>
public static class TableStorageHosting
{
    /// <summary>
    /// Grains' states of storage <paramref name="name"/> in table <paramref name="table"/> (the storage's own name when null, which must
    /// then be a table's name).
    /// </summary>
    public static ISiloBuilder AddTableGrainStorage(this ISiloBuilder silo, string name, string? table = null)
    {
        StoreLimits.CheckTable(table ?? name);
        silo.Services.AddGrainStorage(name, (services, storage) =>
            new TableGrainStorage(
                storage,
                table ?? name,
                services.GetRequiredService<ITableStore>(),
                new OrleansGrainStorageSerializer(services.GetRequiredService<Serializer>()),
                services.GetRequiredService<IActivatorProvider>()
            )
        );
        return silo;
    }

    /// <summary>The cluster's members in table <c>cluster</c>.</summary>
    public static ISiloBuilder UseTableClustering(this ISiloBuilder silo)
    {
        silo.Services.AddSingleton<IMembershipTable, TableMembershipTable>();
        return silo;
    }

    /// <summary>Orleans' reminders in table <c>cluster</c>.</summary>
    public static ISiloBuilder AddTableReminders(this ISiloBuilder silo)
    {
        silo.AddReminders();
        silo.Services.AddSingleton<IReminderTable, TableReminderTable>();
        return silo;
    }

    /// <summary>For a client that can read the table itself: gateways from table <c>cluster</c>.</summary>
    public static IClientBuilder UseTableClustering(this IClientBuilder client)
    {
        client.Services.AddSingleton<IMembershipTable, TableMembershipTable>();
        client.Services.AddSingleton<IGatewayListProvider, TableGateways>();
        return client;
    }
}
