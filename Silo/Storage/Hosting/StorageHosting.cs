using Grains;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.Settings;
using Silo.StartUp;
using Silo.Storage.Migration;

namespace Silo.Storage.Hosting;

/// <summary>Which table and blob store the silo has, and what must hold of its data.</summary>
public static class StorageHosting
{
    public static void AddStorage(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<StorageOptions>(builder.Configuration);
        if (builder.GetStorageKind() == StorageKind.Azure)
        {
            AddAzure(services);
        }
        else
        {
            AddLocal(services);
        }

        services.AddSingleton<WriteHealth>();
        services.AddHostedService<WriteProbe>();
        services.AddStartUpCheck<DataFormat>();
        if (!builder.IsFront())
        {
            services.AddStartUpCheck<Migrations>();
        }
    }

    private static void AddLocal(IServiceCollection services)
    {
        services.AddSingleton(provider => SqliteTableStore.Open(Folder(provider, "tables")));
        services.AddSingleton(provider => DirectoryBlobStore.Open(Folder(provider, "blobs")));
        services.AddSingleton<LocalStores>();
        services.AddSingleton<ITableStore>(provider => provider.GetRequiredService<SqliteTableStore>());
        services.AddSingleton<IBlobStore>(provider => provider.GetRequiredService<DirectoryBlobStore>());
        services.AddSingleton<IFileRemains>(provider => provider.GetRequiredService<SqliteTableStore>());
        services.AddSingleton<IStorageUsage>(provider => provider.GetRequiredService<LocalStores>());
        services.AddStartUpCheck<DataFolderCheck>();
        services.AddStartUpCheck(provider => provider.GetRequiredService<LocalStores>());
        services.AddSingleton<LostTables>();
        services.AddHostedService(provider => provider.GetRequiredService<LostTables>());
        services.AddStartUpCheck(provider => provider.GetRequiredService<LostTables>());
    }

    private static void AddAzure(IServiceCollection services)
    {
        services.AddSingleton(provider => AzureAccount.Of(provider.GetRequiredService<IOptions<StorageOptions>>().Value));
        services.AddSingleton(provider => new AzureTableStore(
            provider.GetRequiredService<AzureAccount>().Tables,
            AzureBounds.Usual,
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards),
            Random.Shared.NextDouble,
            provider.GetRequiredService<ILogger<AzureTableStore>>()
        ));
        services.AddSingleton(provider => new AzureBlobStore(
            provider.GetRequiredService<AzureAccount>().Blobs,
            AzureBounds.Usual,
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards),
            Random.Shared.NextDouble,
            provider.GetRequiredService<ILogger<AzureBlobStore>>()
        ));
        services.AddSingleton<AzureStores>();
        services.AddSingleton<ITableStore>(provider => provider.GetRequiredService<AzureTableStore>());
        services.AddSingleton<IBlobStore>(provider => provider.GetRequiredService<AzureBlobStore>());
        services.AddSingleton<IStorageUsage>(provider => provider.GetRequiredService<AzureStores>());
        services.AddStartUpCheck(provider => provider.GetRequiredService<AzureStores>());
    }

    private static string Folder(IServiceProvider provider, string name) =>
        Path.Combine(provider.GetRequiredService<IOptions<StorageOptions>>().Value.FullPath, name);
}
