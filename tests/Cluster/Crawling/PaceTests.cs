using System.Net;
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

    [Fact]
    public async Task HostsOfOneAddressAreAskedAtOnePace()
    {
        string[] shared = [$"a{_host}", $"b{_host}"];
        string[] hosts = [.. shared, $"c{_host}"];
        foreach (var (host, address) in hosts.Zip(["192.0.2.7", "192.0.2.7", "192.0.2.8"]))
        {
            cluster.Addresses[host] = [IPAddress.Parse(address)];
            cluster.Web.Add($"http://{host}/", SiteAnswer.Links("/1", "/2"));
        }

        var crawl = await cluster.Start(
            Spec with
            {
                Seeds = [.. hosts.Select(host => $"http://{host}/")],
                PerIp = true,
                Delay = 10 * Second,
            }
        );
        HostState? waiting = null;
        await cluster.Clock.PassUntil("a host to wait for its turn", async () =>
            (waiting = (await crawl.HostStates(after: null, take: 10)).FirstOrDefault(state => state.State == "address")) is not null
        );
        var summary = await cluster.Ended(crawl);

        Assert.Contains(waiting!.Host.Value, shared);
        Assert.Equal("It waits for its turn at 192.0.2.7 (--per-ip); hosts before it there: 1.", waiting.Why);
        Assert.Equal(9, summary.Pages);
        var starts = cluster
            .Web.Ledger.Requests.Where(request => shared.Contains(new Uri(request.Target).Host))
            .Select(request => request.Start)
            .ToList();
        Assert.Equal(8, starts.Count);
        Assert.All(starts.Zip(starts.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 10 * Second, string.Join(' ', starts)));
        await cluster.Balances(crawl);
    }

    private CrawlSpec Spec =>
        new()
        {
            Seeds = [Root],
            Delay = Second,
            Timeout = TimeSpan.FromMinutes(5),
        };
}
