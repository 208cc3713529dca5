using System.Net;
using System.Text.Json;
using Doubles;
using Doubles.Net;
using Doubles.Storage;
using Grains;
using Grains.Interfaces.Keys;
using Grains.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Silo.Endpoints;
using Silo.Grpc;
using Silo.Http;
using Silo.Keys;
using Silo.Middleware;

namespace Unit.Silo;

/// <summary>The chain before routes of a test's choice, in a real Kestrel on a network in memory. No silo.</summary>
internal sealed class DoorsInMemory : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DoorsInMemory(WebApplication app, MemoryNetwork network)
    {
        (_app, Network) = (app, network);
        Http = new(network.HttpHandler())
        {
            BaseAddress = new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()),
        };
    }

    public HttpClient Http { get; }

    public MemoryNetwork Network { get; }

    public static async Task<DoorsInMemory> Open(
        Action<WebApplication> map,
        ListenOptions? listen = null,
        ITableStore? store = null,
        Action<IServiceCollection>? add = null,
        bool isHttp2 = false,
        TimeProvider? clock = null,
        params (string Key, string Value)[] settings
    )
    {
        var network = new MemoryNetwork();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(pair => pair.Key, pair => (string?)pair.Value));
        var port = isHttp2 ? network.FreePort() : 0; // What is at gRPC's port is told by its number.
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, listen =>
                listen.Protocols = isHttp2
                    ? Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2
                    : Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http1
            )
        );
        builder.Services.AddSingleton<IConnectionListenerFactory>(network);
        builder.Services.AddSingleton(clock ?? TimeProvider.System);
        builder.Services.TryAddGuards();
        builder.Services.AddSingleton(store ?? new TableStoreInMemory());
        builder.Services.AddSingleton<KeyRing>();
        builder.Services.AddSingleton(
            TestEndpoints.Of(
                new ClusterOptions(),
                new HttpOptions(),
                isHttp2 ? new GrpcOptions { Port = port } : new(),
                listen ?? new(),
                new InstanceOptions()
            )
        );
        builder.AddChain();
        add?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseChain();
        map(app);
        await app.StartAsync();
        return new(app, network);
    }

    /// <summary>Makes a key in a store, before the doors look.</summary>
    public static async Task<string> Key(ITableStore store, string name, ApiRole role)
    {
        await KeyTable.Insert(store, ApiKey.Make(name, role, DateTimeOffset.UnixEpoch, out var secret), CancellationToken.None);
        return secret;
    }

    public async Task<Answer> Send(
        HttpMethod method,
        string path,
        string? key = null,
        HttpContent? content = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (key is not null)
        {
            request.Headers.Add("Authorization", $"Bearer {key}");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var answer = await Http.SendAsync(request);
        return new(answer, await answer.Content.ReadAsStringAsync());
    }

    public Task<Answer> Get(string path, string? key = null, params (string Name, string Value)[] headers) =>
        Send(HttpMethod.Get, path, key, content: null, headers);

    public Task<Answer> Post(string path, string json, string? key = null) =>
        Send(HttpMethod.Post, path, key, new StringContent(json, System.Text.Encoding.UTF8, "application/json"));

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }

    /// <summary>An answer that was read.</summary>
    internal sealed class Answer(HttpResponseMessage message, string body)
    {
        public int Status { get; } = (int)message.StatusCode;

        public string Body => body;

        public string? Type { get; } = message.Content.Headers.ContentType?.MediaType;

        public string? Header(string name) =>
            message.Headers.TryGetValues(name, out var values) ? string.Join(", ", values)
            : message.Content.Headers.TryGetValues(name, out values) ? string.Join(", ", values)
            : null;

        public JsonElement Json => JsonDocument.Parse(body).RootElement;

        /// <summary>Status, media type and detail of a problem.</summary>
        public (int, string?, string?) Problem =>
            (Json.GetProperty("status").GetInt32() == Status ? Status : -1, Type, Json.GetProperty("detail").GetString());

        /// <summary>Where and what, of each fault.</summary>
        public IEnumerable<(string?, string?)> Faults =>
            Json.GetProperty("errors")
                .EnumerateArray()
                .Select(fault =>
                    (
                        fault.TryGetProperty("pointer", out var at) || fault.TryGetProperty("parameter", out at) ? at.GetString() : null,
                        fault.GetProperty("detail").GetString()
                    )
                );
    }
}
