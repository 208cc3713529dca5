using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Grains.Interfaces.Cluster;
using Xunit;

[assembly: AssemblyFixture(typeof(EndToEnd.ReadySilo))]

namespace EndToEnd;

/// <summary>
/// One silo for all tests that need no other and leave it as it is, with its usual settings unless a class that is made of it has others;
/// it starts when the first asks for it.
/// </summary>
public class ReadySilo : IAsyncDisposable
{
    private readonly Lazy<Task<SiloProcess>> _process;

    public ReadySilo()
        : this([]) { }

    protected ReadySilo(string[] settings) => _process = new(() => SiloProcess.StartReady(Place, settings));

    public SiloPlace Place { get; } = new();

    public Task<SiloProcess> Started() => _process.Value;

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_process is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await (await _process.Value).DisposeAsync();
        }

        Place.Dispose();
    }
}

/// <summary>What a silo with its usual settings tells of itself, and does over HTTP.</summary>
public sealed class ReadySiloTests : IAsyncLifetime
{
    private const string ProblemJson = "application/problem+json";

    private readonly ReadySilo _silo;
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };
    private readonly HttpDoor _door;

    public ReadySiloTests(ReadySilo silo) => (_silo, _door) = (silo, new(silo.Place));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private SiloPlace Place => _silo.Place;

    public async ValueTask InitializeAsync() => await _silo.Started();

    public ValueTask DisposeAsync()
    {
        _door.Dispose();
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task HealthAnswersOverHttp()
    {
        Assert.Equal((HttpStatusCode.OK, "Healthy\njoined: Healthy\n"), await Get("/health/startup"));
        Assert.Equal((HttpStatusCode.OK, "Healthy\njoined: Healthy\nnot-stopping: Healthy\n"), await Get("/health/ready"));
        var (status, all) = await Get("/health");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.All(["joined", "not-stopping", "store", "writes", "log-segments"], check =>
            Assert.Contains($"\n{check}: Healthy\n", all, StringComparison.Ordinal)
        );
        Assert.Equal((HttpStatusCode.OK, "Healthy\n"), await Get("/health/live"));
        var (code, front) = await Get("/");
        Assert.Equal(HttpStatusCode.OK, code);
        Assert.StartsWith("<!DOCTYPE html>", front, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUnknownPathIsAProblemInJson()
    {
        using var answer = await _http.GetAsync(new Uri($"http://{Place.Http}/no/such.html"), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(ProblemJson, answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains("\"status\":404", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheClusterShowsItsSilosAndItsBytes()
    {
        var status = await SiloProcessTests.Status(await _silo.Started());

        Assert.Equal(("dev", "0.1.0", "Local"), (status.ClusterId, status.Version, status.StorageKind));
        var line = Assert.Single(status.Silos);
        Assert.Equal(
            (Place.Silo.ToString(), Place.Gateway.ToString(), "silo-0", "Active"),
            (line.Address, line.Gateway, line.Name, line.Status)
        );
        Assert.Contains(new ActivationCount("ClusterStatusGrain", 1), status.Activations);
        Assert.Contains(status.Storage, share => share is { System: "cluster", Bytes: > 0 });
    }

    [Fact]
    public async Task ACrawlIsStartedFollowedAndTakenHomeOverHttp()
    {
        await using var site = await CrawledSite.Start(pages: 40);
        using var started = await _http.PostAsJsonAsync(
            _door.Url("/api/crawls"),
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
        var events = await Wait.For(_http.GetStringAsync(_door.Url("/api/crawls/small/events"), Cancel), "the crawl to end");
        var last = events.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[^1].Split('\n');
        var export = await _http.GetStringAsync(_door.Url("/api/crawls/small/export"), Cancel);

        Assert.Equal("event: end", last[1]);
        Assert.Equal(40, JsonDocument.Parse(last[2]["data: ".Length..]).RootElement.GetProperty("pages").GetInt32());
        Assert.Equal(
            site.Walk.Order(StringComparer.Ordinal),
            export
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("url").GetString()!)
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal((200, "text/csv"), await _door.Knock(HttpMethod.Get, "/api/crawls/small/export?format=csv&kind=all"));
        Assert.Equal((409, ProblemJson), await _door.Knock(HttpMethod.Post, "/api/crawls/small/pause"));
        Assert.Equal((202, "application/json"), await _door.Knock(HttpMethod.Delete, "/api/crawls/small"));
    }

    private async Task<(HttpStatusCode, string)> Get(string path)
    {
        using var answer = await _http.GetAsync(new Uri($"http://{Place.Http}{path}"), Cancel);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }
}
