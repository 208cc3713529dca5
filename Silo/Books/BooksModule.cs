using Silo.Http;
using Silo.StartUp;

namespace Silo.Books;

/// <summary>The books of all systems over HTTP.</summary>
public sealed class BooksModule : ISiloModule
{
    public void AddServices(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LedgerRates>();
        builder.Services.AddRestJson(BooksJson.Default);
    }

    public void MapRoutes(WebApplication app) => app.MapLedger();
}
