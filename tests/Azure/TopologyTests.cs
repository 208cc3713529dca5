using System.Net;
using System.Text;
using System.Text.Json;
using Doubles.Azurite;
using Xunit;

namespace AzureTests;

/// <summary>
/// The shape of <c>infra/</c> on this machine: each silo in a network of its own, reached at one address for all of them under a pair of
/// ports of its own, through a relay that lets nobody in while the silo is not ready; and a front end beside them. It needs root, and
/// <c>.ci/long</c> runs it with <c>TOPOLOGY=1</c>.
/// </summary>
public sealed class TopologyTests(Azurite azurite) : IAsyncDisposable
{
    private static readonly string Secret = new('A', 43);

    private readonly List<IAsyncDisposable> _parts = [];
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly HttpClient _probe = new() { Timeout = TimeSpan.FromSeconds(2) };
    private NetworkBridge _bridge = null!;
    private string _storage = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }

        _http.Dispose();
        _probe.Dispose();
    }

    [Fact]
    public async Task ASiloBehindARelayIsKilledAndReplacedUnderANewPairOfPorts()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("TOPOLOGY") != "1", "TOPOLOGY=1 makes network namespaces, as root.");
        var server = Added(await azurite.Own());
        _bridge = Added(await NetworkBridge.Create());
        _storage = AzuriteProcess
            .ConnectionStringOver(server.TablePort, server.BlobPort)
            .Replace("127.0.0.1", $"{_bridge.Address}", StringComparison.Ordinal);
        foreach (var port in (int[])[server.TablePort, server.BlobPort])
        {
            Added(PlatformRelay.Open(new(_bridge.Address, port), new(IPAddress.Loopback, port)));
        }

        var first = await Silo(0);
        await first.Ready(_probe);
        var second = await Silo(1);
        await second.Ready(_probe);
        var front = await Front();
        await front.Ready(_probe);
        _http.BaseAddress = new($"http://{front.Address}:8080");
        _http.DefaultRequestHeaders.Authorization = new("Bearer", $"ops.{Secret}");
        await Places(orders: 8, first, second, front);

        await second.Kill9();
        await Places(orders: 8, first, front);
        var third = await Silo(2);
        await third.Ready(_probe);
        await Places(orders: 8, first, third, front);

        Assert.Equal(
            [("Active", "11111"), ("Active", "11113"), ("Dead", "11112")],
            (await OrleansTables.Rows(server.ConnectionString, OrleansTables.Members, Cancel))
                .Where(row => row.ContainsKey("Status"))
                .Select(row => (row.GetString("Status"), row.GetString("Port")))
                .Order()
        );
    }

    private T Added<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>As <c>infra/modules/silo.bicep</c> sets it up.</summary>
    private async Task<NetworkNamespace> Silo(int number)
    {
        var silo = Added(await NetworkNamespace.Create(_bridge, 10 + number));
        silo.Start([
            .. Common,
            ("Cluster:Name", $"silo-{number}"),
            ("Cluster:Address", $"{_bridge.Address}"),
            ("Cluster:ListenAddress", "0.0.0.0"),
            ("Cluster:TrustedNetwork", _bridge.Network),
            ("Cluster:AdvertisedSiloPort", $"{11111 + number}"),
            ("Cluster:AdvertisedGatewayPort", $"{30000 + number}"),
            ("Keys:Bootstrap", $"ops.{Secret}"),
        ]);
        foreach (var port in (int[])[11111, 30000])
        {
            Added(PlatformRelay.WhileReady(new(_bridge.Address, port + number), new(silo.Address, port), _probe, silo.Readiness));
        }

        return silo;
    }

    private async Task<NetworkNamespace> Front()
    {
        var front = Added(await NetworkNamespace.Create(_bridge, 100));
        front.Start([.. Common, ("Cluster:Role", "Front")]);
        return front;
    }

    private (string, string)[] Common =>
        [
            ("Storage:Kind", "Azure"),
            ("Storage:ConnectionString", _storage),
            ("Listen:Address", "0.0.0.0"),
            ("Log:Format", "Json"),
            ("ASPNETCORE_HTTP_PORTS", ""),
        ];

    /// <summary>Orders through the front end, each asked for under its key until it is acknowledged, and read back.</summary>
    private async Task Places(int orders, params NetworkNamespace[] running)
    {
        for (var order = 0; order < orders; order++)
        {
            var key = $"{Guid.NewGuid()}";
            var body = $$"""{"customer":"c{{order}}","currency":"EUR","lines":[{"sku":"tea","quantity":1,"price":450}]}""";
            var said = "";
            await Wait.Until(
                async () =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, "/api/orders");
                    request.Content = new StringContent(body, Encoding.UTF8, "application/json");
                    request.Headers.Add("Idempotency-Key", key);
                    try
                    {
                        using var answer = await _http.SendAsync(request, Cancel);
                        said = await answer.Content.ReadAsStringAsync(Cancel);
                        return answer.IsSuccessStatusCode;
                    }
                    catch (Exception gone)
                        when (gone is HttpRequestException or OperationCanceledException && !Cancel.IsCancellationRequested)
                    {
                        said = gone.Message;
                        return false;
                    }
                },
                "an order to be acknowledged",
                () => string.Join(Environment.NewLine, [said, .. running.Select(one => one.Said())])
            );
            var id = JsonElement.Parse(said).GetProperty("id").GetString();
            Assert.Contains(
                id!,
                await _http.GetStringAsync(new Uri($"/api/orders/{id}", UriKind.Relative), Cancel),
                StringComparison.Ordinal
            );
        }
    }
}
