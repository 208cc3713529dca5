using System.Net;
using Client.Demo;
using Xunit;

namespace EndToEnd;

public sealed class ShopServerTests
{
    [Fact]
    public async Task TheShopCountsWhatItIsAskedAndIsBusyOnce()
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var server = await ShopServer.Open(new Bookshop(), TimeProvider.System, cancel);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = server.Url };

        using var busy = await http.GetAsync(new Uri("till", UriKind.Relative), cancel);
        using var till = await http.GetAsync(new Uri("till", UriKind.Relative), cancel);
        using var moved = await http.GetAsync(new Uri("old-catalogue", UriKind.Relative), cancel);
        using var stray = await http.GetAsync(new Uri("nothing-of-the-kind", UriKind.Relative), cancel);
        var robots = await http.GetStringAsync(new Uri("robots.txt", UriKind.Relative), cancel);

        Assert.Equal(
            [HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK, HttpStatusCode.MovedPermanently, HttpStatusCode.NotFound],
            [busy.StatusCode, till.StatusCode, moved.StatusCode, stray.StatusCode]
        );
        Assert.Equal(TimeSpan.FromSeconds(1), busy.Headers.RetryAfter!.Delta);
        Assert.Equal("/shelves/atlases", moved.Headers.Location!.OriginalString);
        Assert.Equal("User-agent: *\nDisallow: /staff/\n", robots);
        Assert.Equal([new("/old-catalogue", 1), new("/till", 2)], server.Read().Requests);
        Assert.Equal(1, server.Read().Strays);
    }
}
