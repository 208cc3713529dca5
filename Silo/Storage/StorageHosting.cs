using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Settings;
using Silo.StartUp;
using Silo.Storage.Migration;

namespace Silo.Storage;

/// <summary>Which table and blob store the silo has, and what must hold of its data.</summary>
public static class StorageHosting
{
    public static void AddStorage(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<StorageOptions>(builder.Configuration);
        services.AddSingleton(provider => SqliteTableStore.Open(Folder(provider, "tables")));
        services.AddSingleton(provider => DirectoryBlobStore.Open(Folder(provider, "blobs")));
        services.AddSingleton<BothStores>();
        services.AddSingleton<ITableStore>(provider => provider.GetRequiredService<SqliteTableStore>());
        services.AddSingleton<IBlobStore>(provider => provider.GetRequiredService<DirectoryBlobStore>());
        services.AddSingleton<IStorageUsage>(provider => provider.GetRequiredService<BothStores>());
        services.AddStartUpCheck<DataFolderCheck>();
        services.AddStartUpCheck(provider => provider.GetRequiredService<BothStores>());
        services.AddStartUpCheck<Migrations>();
        services.AddStartUpCheck<DataFormat>();
    }

    private static string Folder(IServiceProvider provider, string name) =>
        Path.Combine(provider.GetRequiredService<IOptions<StorageOptions>>().Value.FullPath, name);
}
