using System.Collections.Immutable;
using Grains;
using Grains.Interfaces.Books;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Orders;
using Silo.Page.Sessions;

namespace Silo.Page.Snapshots;

/// <summary>The snapshots that the views of this process share.</summary>
public sealed class PageSnapshots
{
    /// <summary>Of an id or a name; what is longer is none.</summary>
    private const int MaxCrawlName = 200;

    private readonly Sentences _sentences;
    private readonly TimeProvider _clock;
    private readonly TimeProvider _guards;
    private readonly ILogger _logger;
    private readonly KeyedSnapshots<string, CrawlSample> _crawls;
    private readonly KeyedSnapshots<string, OrderSample> _orders;
    private readonly KeyedSnapshots<(CrawlId Crawl, HostKey? After), ImmutableArray<HostState>> _hosts;

    public PageSnapshots(
        IGrainFactory grains,
        OrderDesk orders,
        Sentences sentences,
        TimeProvider clock,
        [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
        ILogger<PageSnapshots> logger
    )
    {
        (_sentences, _clock, _guards) = (sentences, clock, guards);
        _logger = logger;
        var history = new BooksHistory();
        Books = Share<ImmutableArray<AccountLine>>(async cancel =>
            history.Add(clock.GetUtcNow(), await grains.GetGrain<ILedgerGrain>(0).Read(cancel))
        );
        Crawls = Share(cancel => grains.GetGrain<ICrawlListGrain>(0).List(cancel));
        Cluster = Share(cancel => grains.GetGrain<IClusterStatusGrain>(0).Show(cancel));
        Destinations = Share(cancel => DestinationsSample.Read(orders, cancel));
        _orders = new(id => Share(new OrderReader(orders, id).Read));
        _hosts = new(page =>
            Share(cancel => grains.GetGrain<ICrawlGrain>(page.Crawl.Value).HostStates(page.After, ICrawlGrain.MaxHostStates, cancel))
        );
        _crawls = new(idOrName =>
        {
            var rate = new PageRate();
            return Share(async cancel =>
                await Find(grains, idOrName, cancel) is { } id && await grains.GetGrain<ICrawlGrain>(id.Value).Show(cancel) is { } crawl
                    ? new CrawlSample(crawl, rate.Add(clock.GetUtcNow(), crawl.Pages))
                    : new(null, null)
            );
        });
    }

    public SharedSnapshot<ImmutableArray<AccountLine>> Books { get; }

    public SharedSnapshot<ImmutableArray<CrawlSummary>> Crawls { get; }

    public SharedSnapshot<ClusterStatus> Cluster { get; }

    public SharedSnapshot<DestinationsSample> Destinations { get; }

    public SharedSnapshot<OrderSample> Order(string id) => _orders.Of(id);

    /// <param name="idOrName">As REST takes it.</param>
    public SharedSnapshot<CrawlSample> Crawl(string idOrName) => _crawls.Of(idOrName);

    /// <summary>The first hosts of a crawl, or those behind one.</summary>
    public SharedSnapshot<ImmutableArray<HostState>> CrawlHosts(CrawlId crawl, HostKey? after) => _hosts.Of((crawl, after));

    private static async Task<CrawlId?> Find(IGrainFactory grains, string idOrName, CancellationToken cancel) =>
        idOrName.Length <= MaxCrawlName ? await grains.GetGrain<ICrawlListGrain>(0).Find(idOrName, cancel) : null;

    private SharedSnapshot<T> Share<T>(Func<CancellationToken, Task<T>> read) => new(read, _sentences.Of, _clock, _guards, _logger);
}
