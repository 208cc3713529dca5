using System.Net;
using System.Text.Json.Nodes;
using Doubles;
using Grains.Crawling.Rows;
using Grains.Crawling.Workers;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Xunit;

namespace Cluster.Crawling;

/// <summary>
/// Another silo is declared dead: what its workers held, and what its hosts gave out, is waited for as long as its requests may last, and
/// not until the leases end.
/// </summary>
public sealed class SiloDeathTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static int _silos;

    // Orleans takes an old generation that it does not know for dead.
    private readonly SiloAddress _dead = SiloAddress.New(
        IPAddress.Loopback,
        Interlocked.Increment(ref _silos),
        SiloAddress.AllocateNewGeneration()
    );

    private readonly string _host = cluster.NewHost();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Root => $"http://{_host}/";

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [Root],
            Delay = Second,
            Timeout = TimeSpan.FromMinutes(5),
        };

    private int Asked => cluster.Web.Ledger.Requests.Count(request => request.Target == Root);

    [Fact]
    public async Task AWorkersLeaseEndsWhenItsSilosRequestsDo()
    {
        cluster.Web.Add(Root, SiteAnswer.Links([]));
        cluster.Lost.Next(int.MaxValue); // No worker of this silo hears of the host.
        var order = new CrawlOrder(CrawlId.Parse("deadworker"), 1, CrawlState.Running, Spec);
        await Host.Add(order, [new(Root, 0, null)], Cancel);
        var held = await Host.Report(new(0, [], order.Id, 1, _dead.ToParsableString()), Cancel);
        Assert.Equal(LeaseKind.Robots, Assert.Single(held.Leases).Kind);

        await Dies();
        cluster.Lost.Next(0);
        cluster.Guards.Pass(IMembershipLease.Duration - Second);
        cluster.Clock.Pass(TimeSpan.FromHours(1));
        Assert.Empty((await Host.Report(new(1, [], order.Id, 1), Cancel)).Leases);

        cluster.Guards.Pass(Second);
        await cluster.Clock.PassUntil("the page to be asked for by another worker", () => Asked == 1);
    }

    [Fact]
    public async Task AWorkerOfASiloThatIsDeadGetsNoLease()
    {
        cluster.Lost.Next(int.MaxValue);
        var order = new CrawlOrder(CrawlId.Parse("lateworker"), 1, CrawlState.Running, Spec);
        await Host.Add(order, [new(Root, 0, null)], Cancel);
        await Dies();

        Assert.Empty((await Host.Report(new(0, [], order.Id, 1, _dead.ToParsableString()), Cancel)).Leases);
        Assert.Single((await Host.Report(new(0, [], order.Id, 1), Cancel)).Leases);
        cluster.Lost.Next(0);
    }

    [Fact]
    public async Task AHostsSuccessorWaitsForTheRequestsOfADeadSiloAndForWhatLivingWorkersGiveUp()
    {
        var gate = new Gate();
        cluster.Web.Add(Root, SiteAnswer.Links([]).Behind(gate));
        var crawl = await cluster.Start(Spec);
        await cluster.Clock.PassUntil("the page that is held up to be asked for", gate.Reached);
        await WasIn(_dead, (await crawl.Show(Cancel))!.Id);
        await Dies();
        await cluster.Deactivate(_host);

        cluster.Guards.Pass(IMembershipLease.Duration - Second);
        cluster.Clock.Pass(TimeSpan.FromHours(1));
        await crawl.Explain(Root, Cancel);
        Assert.Equal(1, Asked);

        cluster.Guards.Pass(Second);
        await cluster.Clock.PassUntil("the page to be asked for again", () => Asked == 2);
        gate.Open();
        Assert.Equal((CrawlState.Done, 1L), ((await cluster.Ended(crawl)).State, (await cluster.Ended(crawl)).Pages));
        await cluster.Balances(crawl);
    }

    private IHostGrain Host => cluster.Host(_host);

    /// <summary>The silo learns that the other one died, and the host does.</summary>
    private async Task Dies()
    {
        cluster.Deaths.SiloStatusChangeNotification(_dead, SiloStatus.Dead);
        await Host.Explain(CrawlId.Parse("nobodys000"), Root, Cancel);
    }

    /// <summary>Rewrites the row that says where the host's activation is.</summary>
    private async Task WasIn(SiloAddress silo, CrawlId crawl)
    {
        var partition = CrawlTable.Urls(crawl, new HostKey(_host));
        var row = await cluster.Store.Get(CrawlTable.Name, partition, PartitionWriter.HeadKey, Cancel);
        var head = JsonNode.Parse(row!.Payload.Span)!;
        head["silo"] = silo.ToParsableString();
        var put = RowChange.Put(PartitionWriter.HeadKey, System.Text.Encoding.UTF8.GetBytes(head.ToJsonString()));
        Assert.Equal(CommitOutcome.Committed, (await cluster.Store.Commit(CrawlTable.Name, partition, [put], Cancel)).Outcome);
    }
}
