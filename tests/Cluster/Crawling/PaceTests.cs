using Doubles;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Cluster.Crawling;

/// <summary>How a host is asked when it is in trouble, and what is told of it.</summary>
public sealed class PaceTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly string _host = cluster.NewHost();

    private string Root => $"http://{_host}/";

    [Fact]
    public async Task AHostThatSaysItIsAskedTooMuchIsAskedMoreSlowly()
    {
        var gate = new Gate();
        cluster.Web.Add(Root, SiteAnswer.Links("/busy", "/held", "/after")).Add(Root + "busy", SiteAnswer.Empty(429));
        cluster.Web.Add(Root + "held", SiteAnswer.Html("").Behind(gate)).Add(Root + "after", "");
        var crawl = await cluster.Start(Spec);
        await cluster.Clock.PassUntil("the page behind the busy one to be asked for", gate.Reached);
        var state = Assert.Single(await crawl.HostStates(after: null, take: 10));
        gate.Open();
        var summary = await cluster.Ended(crawl);

        Assert.Equal(("slowed", Second, 1, 1L), (state.State, state.AskedDelay, state.InFlight, state.Pages));
        Assert.True(state.Delay >= 2 * Second, $"The delay is {state.Delay}.");
        Assert.Contains("http-429", state.Why, StringComparison.Ordinal);
        var starts = cluster.Web.Ledger.Requests.Where(request => request.Target.StartsWith(Root, StringComparison.Ordinal)).ToList();
        var busy = starts.FindIndex(request => request.Target == Root + "busy");
        var gap = starts[busy + 1].Start - starts[busy].Start;
        Assert.True(gap >= 2 * Second, $"It was asked again after {gap}.");
        Assert.Equal((3L, 1L), (summary.Pages, summary.Failed));
        await cluster.Balances(crawl);
    }

    [Fact]
    public async Task HostsAreToldOfPageByPage()
    {
        string[] hosts = [$"a{_host}", $"b{_host}", $"c{_host}"];
        var crawl = await cluster.Start(Spec with { Seeds = [.. hosts.Select(host => $"http://{host}/")] });
        await cluster.Ended(crawl);

        var first = await crawl.HostStates(after: null, take: 2);
        var rest = await crawl.HostStates(first[^1].Host, take: 2);

        Assert.Equal(hosts, first.Concat(rest).Select(state => state.Host.Value));
        Assert.All(first, state => Assert.Equal(("ended", 1L), (state.State, state.Pages)));
    }

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [Root],
            Delay = Second,
            Timeout = TimeSpan.FromMinutes(5),
        };
}
