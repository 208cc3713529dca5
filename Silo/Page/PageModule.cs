using Silo.StartUp;

namespace Silo.Page;

/// <summary>The page for people at <c>/</c>.</summary>
public sealed class PageModule : ISiloModule
{
    public void AddServices(WebApplicationBuilder builder) => builder.AddPage();

    public void MapRoutes(WebApplication app) => app.MapPage();
}
