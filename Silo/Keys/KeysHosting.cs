using Silo.Settings;
using Silo.StartUp;

namespace Silo.Keys;

/// <summary>The keys of HTTP and gRPC.</summary>
public static class KeysHosting
{
    public static void AddKeys(this WebApplicationBuilder builder)
    {
        builder.Services.AddSettings<KeysOptions>(builder.Configuration);
        builder.Services.AddSingleton<KeyRing>();
        builder.Services.AddStartUpCheck<KeysCheck>();
    }
}
