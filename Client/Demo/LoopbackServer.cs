using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Client.Demo;

/// <summary>A small web server of the demo on loopback, on a port that the system chooses. A request's body has 64 KiB at most.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private const int MaxBody = 64 * 1024;

    private readonly WebApplication _app;

    private LoopbackServer(WebApplication app, Uri url)
    {
        _app = app;
        Url = url;
    }

    /// <summary>With a slash at its end.</summary>
    public Uri Url { get; }

    public static async Task<LoopbackServer> Open(RequestDelegate answer, CancellationToken cancel)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.ClearProviders();
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = MaxBody;
                kestrel.Listen(IPAddress.Loopback, 0);
            });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync(cancel);
        return new(app, new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/"));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
