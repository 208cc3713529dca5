using Silo.Settings;
using Silo.StartUp;

namespace Silo.Storage.Hosting;

/// <summary>The stores of the silo, and what must hold of its data before it joins the cluster.</summary>
public sealed class StorageModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(StorageOptions)];

    public IEnumerable<string> Problems(IConfiguration configuration) => configuration.Read<StorageOptions>().Problems();

    public void AddServices(WebApplicationBuilder builder) => builder.AddStorage();
}
