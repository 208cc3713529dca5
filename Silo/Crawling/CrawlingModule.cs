using Grains.Crawling;
using Silo.StartUp;

namespace Silo.Crawling;

/// <summary>The crawler in the silo.</summary>
public sealed class CrawlingModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(CrawlingOptions)];

    public void AddServices(WebApplicationBuilder builder) => builder.AddCrawling();

    public void MapRoutes(WebApplication app) => app.MapCrawls();
}
