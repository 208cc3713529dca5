using Silo.StartUp;

namespace Silo.Keys;

/// <summary>The API keys: who may call over HTTP and gRPC.</summary>
public sealed class KeysModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(KeysOptions)];

    public void AddServices(WebApplicationBuilder builder) => builder.AddKeys();
}
