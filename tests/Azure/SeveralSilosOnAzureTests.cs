using Doubles.Crawling;
using Xunit;

namespace AzureTests;

public sealed class SeveralSilosOnAzureTests(Azurite azurite) : SeveralSilosContract
{
    protected override async Task<string[]> Store() => AzureStartTests.Settings(Added(await azurite.Own()).ConnectionString);

    [Fact]
    public async Task OneSiloOnAzureStorageCrawlsASiteOverAKill()
    {
        await CrawlOverAKill();

        var status = await Crawler.AskJson("cluster", "status");
        Assert.Equal("Azure", status.GetProperty("storageKind").GetString());
        Assert.Empty(status.GetProperty("storage").EnumerateArray());
    }
}
