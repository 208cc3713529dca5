using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Doubles.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Doubles;

/// <summary>A real web server at 127.0.0.1 of a network, on a port that was free. What it has no answer for is 404.</summary>
public sealed class WebSite : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, SiteAnswer> _answers = new(StringComparer.Ordinal);
    private readonly WebApplication _server;

    private WebSite(INetwork network, TimeProvider clock, int port, X509Certificate2? certificate)
    {
        Ledger = new(clock);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, port, endpoint =>
            {
                if (certificate is not null)
                {
                    endpoint.UseHttps(certificate);
                }
            });
        });
        if (network is IConnectionListenerFactory transport)
        {
            builder.Services.AddSingleton(transport); // Kestrel takes the last one.
        }

        _server = builder.Build();
        _server.Run(Answer);
    }

    public SiteLedger Ledger { get; }

    /// <summary>Like <c>http://127.0.0.1:41234</c>, without a slash at the end.</summary>
    public string Origin { get; private set; } = "";

    public int Port => new Uri(Origin).Port;

    /// <summary>Asked for what was not added with <c>Add</c>; null or a null answer: 404.</summary>
    public Func<string, SiteAnswer?>? Otherwise { get; set; }

    /// <summary>Serves these pages without building an answer for each; asked before <see cref="Otherwise"/>.</summary>
    public BigSite? Pages { get; set; }

    /// <param name="network">Where it listens.</param>
    /// <param name="clock">For the ledger; null: the system's.</param>
    /// <param name="port">0: one that is free.</param>
    /// <param name="certificate">It speaks https, over HTTP/2 with who can; null: http.</param>
    public static async Task<WebSite> Start(
        INetwork network,
        TimeProvider? clock = null,
        int port = 0,
        X509Certificate2? certificate = null
    )
    {
        var site = new WebSite(network, clock ?? TimeProvider.System, port, certificate);
        await site._server.StartAsync();
        site.Origin = site._server.Urls.Single();
        return site;
    }

    /// <summary>A certificate that nobody vouches for.</summary>
    public static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
    }

    /// <param name="target">Path and query, as in the request line.</param>
    /// <param name="answer">From now on.</param>
    public WebSite Add(string target, SiteAnswer answer)
    {
        _answers[target] = answer;
        return this;
    }

    public WebSite Add(string target, string html) => Add(target, SiteAnswer.Html(html));

    public string UrlOf(string target) => Origin + target;

    /// <summary>Ends at once: open requests are broken off.</summary>
    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _server.StopAsync(atOnce.Token);
        await _server.DisposeAsync();
    }

    private async Task Answer(HttpContext context)
    {
        // The raw target: routing and Request.Path would decode it.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        Ledger.OnStart(target, () =>
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)
        );
        try
        {
            await (
                _answers.TryGetValue(target, out var answer) ? Write(context, answer)
                : Pages?.PageOf(target) is { } page ? Write(context, page)
                : Write(context, Otherwise?.Invoke(target) ?? SiteAnswer.Empty(404))
            );
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked has gone, which tests do on purpose.
        }
        finally
        {
            Ledger.OnEnd();
        }
    }

    private static async Task Write(HttpContext context, SiteAnswer answer)
    {
        if (answer.Gate is { } gate)
        {
            await gate.Pass(context.RequestAborted);
        }

        var response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = answer.ContentType;
        foreach (var (name, value) in answer.Headers)
        {
            response.Headers.Append(name, value);
        }

        if (answer.Status is not (204 or 304))
        {
            response.ContentLength = answer.Body.Length;
            await response.Body.WriteAsync(answer.Body, context.RequestAborted);
        }
    }

    private async Task Write(HttpContext context, int page)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = BigSite.PageBytes;
        Pages!.Write(context.Response.BodyWriter, page);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
