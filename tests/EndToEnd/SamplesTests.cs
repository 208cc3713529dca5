using System.Diagnostics;
using Grains.Client;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Xunit;

namespace EndToEnd;

/// <summary>The samples and the client library, against real silos.</summary>
public sealed class SamplesTests : IDisposable
{
    private readonly SiloPlace _place = new();

    /// <summary>In its own output, without ASP.NET Core: beside these tests what ASP.NET Core has would be missing.</summary>
    private static string CallsProgram
    {
        get
        {
            var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
            return Path.Combine(Repository.Folder, "samples", "Calls", "bin", framework.Parent!.Name, framework.Name, "Calls.dll");
        }
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _place.Dispose();

    [Fact]
    public void ThePageShowsTheSampleAsItIsCompiled()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Folder, "docs", "how-to", "call-from-dotnet.md"));
        var sample = File.ReadAllText(Path.Combine(Repository.Folder, "samples", "Calls", "Program.cs"));

        Assert.Contains($"```csharp\n{sample}```", page, StringComparison.Ordinal);
        Assert.InRange(sample.Split('\n').Count(line => line.Trim() is not ("" or "{" or "}")), 1, 15);
    }

    [Fact]
    public async Task TheSampleThatCallsPlacesAnOrderOnceAndSeesItPaid()
    {
        await using var silo = await SiloProcess.StartReady(_place);

        var first = await Calls();
        var again = await Calls();

        Assert.Equal(["1 order.placed", "2 order.paid"], first.Select(line => line[..line.LastIndexOf(' ')]));
        Assert.Equal(first, again);
    }

    [Fact]
    public async Task TheSilosOfTheSamplesHearAndAreGivenEachChange()
    {
        await using (
            var listener = await SiloProcess.WhenReady(
                SiloProcess.StartOther("Listener.dll", _place, [], "--Crawling:AllowPrivate", "127.0.0.0/8")
            )
        )
        {
            await using var site = await CrawledSite.Start(pages: 3);
            await using var cluster = await ClusterClient.Connect($"{_place.Gateway}", Cancel);
            var order = await Place(cluster, "heard");
            var crawl = await cluster.Crawls.Start(new() { Seeds = [site.Seed], AllowPrivate = ["127.0.0.0/8"] }, Cancel);
            await Wait.For(listener.Said($"heard {order} order.placed"), "the order to be heard of", () => listener.AllSaid);
            await Wait.For(listener.Said($"heard 200 {site.Seed}"), "the page to be heard of", () => listener.AllSaid);

            CrawlSummary? last = null;
            await foreach (var seen in cluster.Crawls.Follow(crawl, TimeSpan.FromMilliseconds(100), Cancel))
            {
                last = seen;
            }

            Assert.Equal(CrawlState.Done, last!.State);
            var pages = new List<string>();
            await foreach (var page in cluster.Crawls.Export(crawl, cancel: Cancel))
            {
                pages.Add(page.Url);
            }

            Assert.Equal(last.Pages, pages.Distinct().Count());
            Assert.Equal(0, await listener.Stop());
        }

        // The subscriber is new to the data and is given what it holds from the start.
        var files = Path.Combine(_place.Folder, "files");
        await using var subscriber = await SiloProcess.WhenReady(
            SiloProcess.StartOther("Subscriber.dll", _place, [("ORDER_FILES", files)])
        );
        await using (var cluster = await ClusterClient.Connect($"{_place.Gateway}", Cancel))
        {
            var order = await Place(cluster, "given");
            await Wait.Until(
                () => Lines(files).Contains($"{order} 1 order.placed") && Lines(files).Length >= 2,
                "both orders to be in the files",
                () => string.Join('\n', Lines(files)) + subscriber.AllSaid
            );
        }

        Assert.Equal(0, await subscriber.Stop());
    }

    [Fact]
    public async Task TheLibraryTellsRefusalsAndChecksProofsWithoutTheCluster()
    {
        AuditReceipt? receipt = null;
        AuditPublicKey key;
        await using (var silo = await SiloProcess.StartReady(_place))
        {
            await using var cluster = await ClusterClient.Connect($"{_place.Gateway}", Cancel);
            var refused = await Assert.ThrowsAsync<ClusterRefusedException>(() =>
                cluster.Crawls.Start(new() { Seeds = ["mailto:a@b"] }, Cancel)
            );
            Assert.Contains("mailto", refused.Message, StringComparison.Ordinal);
            await Assert.ThrowsAsync<ClusterRefusedException>(async () => await First(cluster.Orders.Watch("no cursor", cancel: Cancel)));
            await Assert.ThrowsAsync<ClusterRefusedException>(async () => await First(cluster.Logs.Search("service:", cancel: Cancel)));
            var tail = await First(cluster.Logs.Tail(cancel: Cancel));
            Assert.Empty(tail.Entries);

            var order = await Place(cluster, "proven");
            await Wait.Until(
                async () => (receipt = await cluster.Orders.Proof(order, Cancel)) is { Entries.Length: > 0 },
                "the order to be recorded",
                () => silo.AllSaid
            );
            key = await cluster.Orders.PublicKey(Cancel);
        }

        Assert.Null(AuditReceipt.FromJson(receipt!.ToJson()).Check([key]));
        using var other = AuditKey.Create();
        Assert.NotNull(receipt.Check([other.PublicKey]));
        await Assert.ThrowsAsync<NoSiloException>(() => ClusterClient.Connect($"{_place.Gateway}", Cancel));
    }

    private static async Task<OrderId> Place(ClusterClient cluster, string key)
    {
        var order = new PlaceOrder
        {
            Customer = "ann",
            Currency = "EUR",
            Lines = [new("tea", 1, 450)],
        };
        return (await cluster.Orders.Place("test", key, order, Cancel)).Order!.Id;
    }

    private static async Task<T> First<T>(IAsyncEnumerable<T> items)
    {
        await foreach (var item in items)
        {
            return item;
        }

        throw new InvalidOperationException("There was none.");
    }

    private async Task<string[]> Calls()
    {
        using var process = Process.Start(
            new ProcessStartInfo(SiloProcess.DotNet, [CallsProgram, $"{_place.Gateway}", "basket-17"]) { RedirectStandardOutput = true }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(Cancel);
        await Wait.For(process.WaitForExitAsync(Cancel), "the sample to end");
        Assert.Equal(0, process.ExitCode);
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string[] Lines(string folder) => [.. Directory.EnumerateFiles(folder).SelectMany(File.ReadLines)];
}
