using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Settings;
using Silo.StartUp;

namespace Silo.Storage;

/// <summary>Which table and blob store the silo has, and what must hold of its data.</summary>
public static class StorageHosting
{
    public static void AddStorage(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<StorageOptions>(builder.Configuration);
        services.AddSingleton(provider => SqliteTableStore.Open(TablesFolder(provider)));
        services.AddSingleton<ITableStore>(provider => provider.GetRequiredService<SqliteTableStore>());
        services.AddSingleton<IStorageUsage>(provider => provider.GetRequiredService<SqliteTableStore>());
        services.AddStartUpCheck<DataFolderCheck>();
        services.AddStartUpCheck<DataFormat>();
    }

    private static string TablesFolder(IServiceProvider provider) =>
        Path.Combine(provider.GetRequiredService<IOptions<StorageOptions>>().Value.FullPath, "tables");
}
