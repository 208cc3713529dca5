using System.Net;
using System.Net.Http.Json;
using System.Net.NetworkInformation;
using Silo.Launch;
using Silo.StartUp;
using Xunit;

namespace EndToEnd;

/// <summary>A silo that clients of Orleans alone can reach.</summary>
public sealed class SiloWithoutDoors : IAsyncLifetime
{
    public SiloPlace Place { get; } = new();

    public SiloProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Process = await SiloProcess.StartReady(Place, "--Http:Port", "0", "--Grpc:Port", "0", "--Logs:OtlpHttpPort", "0");

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
        {
            await Process.DisposeAsync();
        }

        Place.Dispose();
    }
}

/// <summary>A silo whose endpoints are closed, and a front that has them in its stead.</summary>
public sealed class ClosedDoorsTests(SiloWithoutDoors silo) : IClassFixture<SiloWithoutDoors>, IDisposable
{
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task ClosedDoorsAreClosedAndTheSiloWorksWithoutThem()
    {
        Assert.Contains("  HTTP     closed", silo.Process.Output);
        Assert.Contains("  gRPC     closed", silo.Process.Output);
        await Assert.ThrowsAsync<HttpRequestException>(() => _http.GetAsync(new Uri($"http://{silo.Place.Http}/"), Cancel));
        await using var status = await ConsoleProcess.Reach("cluster", "status", "--gateway", silo.Place.Gateway.ToString());
        Assert.Equal(0, await status.Exit);
    }

    [Fact]
    public async Task AFrontCarriesTheDoorsOfASiloThatHasNone()
    {
        await using var site = await CrawledSite.Start(pages: 10);
        using var before = silo.Place.Beside();
        await using var front = await SiloProcess.StartReady(before, "--Cluster:Role", "Front");

        // On a busy machine Orleans may have warned of something before.
        var banner = front.Output.SkipWhile(line => !line.StartsWith(Banner.Ready, StringComparison.Ordinal)).ToArray();
        Assert.StartsWith("Ready: Orleans front 0.1.0, ", banner[0], StringComparison.Ordinal);
        Assert.Equal(
            [$"  HTTP     http://{before.Http}/", $"  API      http://{before.Http}/api", $"  gRPC     {before.Grpc}"],
            banner[1..4]
        );
        using var page = await _http.GetAsync(new Uri($"http://{before.Http}/api"), Cancel);
        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        Assert.DoesNotContain(Listeners(), end => end.Port == before.Silo.Port || end.Port == before.Gateway.Port);
        using var ready = await _http.GetAsync(new Uri($"http://{before.Http}/health/ready"), Cancel);
        Assert.Equal(
            "Healthy\nsilos: Healthy\nnot-stopping: Healthy\nstore: Healthy\nwrites: Healthy\n",
            await ready.Content.ReadAsStringAsync(Cancel)
        );
        using var started = await _http.PostAsJsonAsync(
            new Uri($"http://{before.Http}/api/crawls"),
            new
            {
                seeds = new[] { site.Seed },
                name = "small",
                delay = "0",
                allowPrivate = new[] { "127.0.0.0/8" },
            },
            Cancel
        );
        Assert.Equal(HttpStatusCode.Created, started.StatusCode);
        var events = await Wait.For(
            _http.GetStringAsync(new Uri($"http://{before.Http}/api/crawls/small/events"), Cancel),
            "the crawl to end"
        );
        Assert.Contains("event: end", events, StringComparison.Ordinal);

        Assert.Equal(ExitCodes.Stopped, await front.Stop());
    }

    private static IPEndPoint[] Listeners() => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners();
}
