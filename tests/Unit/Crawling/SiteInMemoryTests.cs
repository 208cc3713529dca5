using System.Text;
using Doubles;
using Grains.Crawling.Pages;
using Grains.Net;
using Xunit;

namespace Unit.Crawling;

public sealed class SiteInMemoryTests
{
    private readonly SiteInMemory _site = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ItAnswersWhatWasAddedAnd404ForTheRest()
    {
        _site.Add("http://a/", SiteAnswer.Links("/b").With("Location", "/x"));

        var fetch = await Fetch("http://a/");

        Assert.Equal(200, fetch.Status);
        Assert.Equal("/x", fetch.Location);
        Assert.Equal(new ContentType("text/html", "utf-8"), fetch.ContentType);
        Assert.Contains("<a href=\"/b\">", Encoding.UTF8.GetString(fetch.Body.Span), StringComparison.Ordinal);
        Assert.Equal(404, (await Fetch("http://a/b")).Status);
        Assert.Equal(["http://a/", "http://a/b"], _site.Ledger.Requests.Select(request => request.Target));
    }

    [Fact]
    public async Task ItFailsAsOftenAsItWasTold()
    {
        _site.Add("http://a/", "<p>x").FailNext("http://a/", FetchFailure.Timeout, times: 2);

        Assert.Equal(FetchFailure.Timeout, (await Fetch("http://a/")).Failure);
        Assert.Equal(FetchFailure.Timeout, (await Fetch("http://a/")).Failure);
        Assert.Equal(200, (await Fetch("http://a/")).Status);
    }

    [Fact]
    public async Task ItCutsABodyAtItsLimit()
    {
        _site.Add("http://a/", SiteAnswer.Text("0123456789"));

        var fetch = await _site.Fetch(new("http://a/", TimeSpan.FromSeconds(1), 4, AddressRanges.None, "Test"), Cancel);

        Assert.Equal("0123", Encoding.UTF8.GetString(fetch.Body.Span));
        Assert.True(fetch.Truncated);
    }

    [Fact]
    public async Task AGateHoldsUpAndTheLedgerCountsThoseInside()
    {
        var gate = new Gate();
        _site.Otherwise = _ => SiteAnswer.Text("x").Behind(gate);
        var first = Fetch("http://a/1");
        var second = Fetch("http://a/2");
        await gate.Reached;

        Assert.False(first.IsCompleted);
        gate.Open();
        await Task.WhenAll(first, second);

        Assert.Equal(2, _site.Ledger.MostAtOnce);
    }

    private Task<PageFetch> Fetch(string url) =>
        _site.Fetch(new(url, TimeSpan.FromSeconds(1), 1_000_000, AddressRanges.None, "Test"), Cancel);
}
