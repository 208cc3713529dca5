using Grains.Crawling;
using Silo.Settings;
using Silo.Storage;

namespace Silo.Crawling;

/// <summary>What the crawler needs of the silo.</summary>
public static class CrawlingHosting
{
    public static void AddCrawling(this WebApplicationBuilder builder)
    {
        builder.Services.AddSettings<CrawlingOptions>(builder.Configuration);
        builder.Services.AddStoredCount<CrawlingOptions>($"{CrawlingOptions.Section}:{nameof(CrawlingOptions.Workers)}", crawling => crawling.Workers);
    }
}
