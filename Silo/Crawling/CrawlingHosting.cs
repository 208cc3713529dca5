using Grains;
using Grains.Books;
using Grains.Crawling;
using Grains.Crawling.Archive;
using Grains.Crawling.Fetching;
using Grains.Crawling.Pages;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Microsoft.Extensions.Options;
using Silo.Cluster;
using Silo.Endpoints;
using Silo.Http;
using Silo.Settings;
using Silo.Storage;

namespace Silo.Crawling;

/// <summary>What the crawler needs of the silo.</summary>
public static class CrawlingHosting
{
    public static void AddCrawling(this WebApplicationBuilder builder)
    {
        builder.Services.AddRestJson(CrawlJson.Default);
        if (builder.IsFront())
        {
            return; // It crawls nothing: it asks grains.
        }

        var services = builder.Services;
        services.AddSettings<CrawlingOptions>(builder.Configuration);
        services
            .AddOptions<CrawlingOptions>()
            .PostConfigure<ListeningEndpoints>(
                (crawling, endpoints) => crawling.ListensOnLoopback = endpoints.All.All(endpoint => endpoint.IsOnLoopback)
            );
        services.AddStoredCount<CrawlingOptions>($"{CrawlingOptions.Section}:{nameof(CrawlingOptions.Workers)}", crawling =>
            crawling.Workers
        );
        builder.UseOrleans(silo =>
            silo.AddStoredGrainStorage(builder.GetStorageKind(), AddressPace.Storage, CrawlTable.Name)
                .AddPlacementDirector<WorkerPlacement, WorkerPlacementDirector>()
        );
        services.AddSingleton<IPageFetcher>(provider => new HttpPageFetcher(
            provider.GetRequiredService<TimeProvider>(),
            guards: provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards)
        ));
        services.AddSingleton(new HostAddresses());
        services.AddSingleton<CrawlingMetrics>();
        services.AddSingleton<FetchMetrics>();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<CrawlingOptions>>().Value.OfFetches);
        services.AddSingleton<PageArchive>();
        services.AddSingleton<PageHistory>();
        services.AddSingleton<PageVisitor>();
        services.AddSingleton<WorkersOfSilo>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<WorkersOfSilo>());
        services.AddSingleton<SiloDeaths>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(provider => provider.GetRequiredService<SiloDeaths>());
        services.AddSingleton<Func<double>>(Random.Shared.NextDouble);
        services.AddSingleton<IAccountSource, CrawlingAccounts>();
        services.AddWakeUp("crawling", static (grains, cancel) => grains.GetGrain<ICrawlListGrain>(0).Wake(cancel));
    }
}
