using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Doubles.Azurite;

/// <summary>What goes wrong with one request.</summary>
public abstract record Fault
{
    /// <summary>The connection is cut, and the server sees nothing.</summary>
    public sealed record CutBefore : Fault;

    /// <summary>The server does it, and the connection is cut before its answer: the answer is lost.</summary>
    /// <param name="Then">What happens elsewhere before the client hears of the cut.</param>
    public sealed record CutAfter(Func<Task>? Then = null) : Fault;

    /// <summary>This answer comes instead, and the server sees nothing.</summary>
    /// <param name="Body">JSON; null: an error as the services write it.</param>
    public sealed record AnswerBefore(int Status, string? Code = null, int? RetryAfter = null, string? Body = null) : Fault;

    /// <summary>The server does it, and this answer comes instead of its own.</summary>
    public sealed record AnswerAfter(int Status, string? Code = null) : Fault;

    /// <summary>The request waits on its way until the gate opens, even when the client has gone; then the server sees it.</summary>
    public sealed record Held(Gate Gate) : Fault;

    /// <summary>Something happens elsewhere before the request reaches the server.</summary>
    public sealed record Before(Func<Task> Happens) : Fault;
}

/// <summary>Stands before a server of HTTP on loopback and passes requests on, except those that are to go wrong.</summary>
public sealed class FaultyFront : IAsyncDisposable
{
    // Not passed on by a proxy: RFC 9110, section 7.6.1.
    private static readonly string[] OfTheConnection = ["Connection", "Keep-Alive", "Transfer-Encoding", "Host"];

    private readonly WebApplication _front;
    private readonly HttpClient _back;
    private readonly int _port;
    private readonly Lock _lock = new();
    private readonly List<string> _seen = [];
    private readonly List<Task> _held = [];
    private Func<string, int, Fault?> _rule = static (_, _) => null;

    private FaultyFront(int port)
    {
        _port = port;
        _back = new(new SocketsHttpHandler { AllowAutoRedirect = false });
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Logging.ClearProviders();
        _front = builder.Build();
        _front.Run(Pass);
    }

    public int Port { get; private set; }

    /// <summary>Requests so far, "POST $batch" or "GET rows": the method and the last segment of the path.</summary>
    public IReadOnlyList<string> Seen
    {
        get
        {
            lock (_lock)
            {
                return [.. _seen];
            }
        }
    }

    /// <param name="port">Of the server on loopback.</param>
    public static async Task<FaultyFront> Before(int port)
    {
        var front = new FaultyFront(port);
        await front._front.StartAsync();
        front.Port = new Uri(front._front.Urls.Single()).Port;
        return front;
    }

    /// <summary>
    /// From now on: asked for each request, by what it is (as in <see cref="Seen"/>) and its number among those of that kind since then,
    /// from 1.
    /// </summary>
    public void When(Func<string, int, Fault?> rule)
    {
        lock (_lock)
        {
            _rule = rule;
            _seen.Clear();
        }
    }

    /// <summary>The first transactions meet these faults, one each.</summary>
    public void FailTransactions(params Fault?[] faults) =>
        When((request, n) => request == "POST $batch" && n <= faults.Length ? faults[n - 1] : null);

    /// <summary>Ends when what was held has reached the server and was answered.</summary>
    public Task HeldArrived()
    {
        lock (_lock)
        {
            return Task.WhenAll(_held);
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _front.StopAsync(atOnce.Token);
        await _front.DisposeAsync();
        _back.Dispose();
    }

    private async Task Pass(HttpContext context)
    {
        // The target as it was sent: it is part of what is signed.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var name = $"{context.Request.Method} {Last(target)}";
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        Fault? fault;
        lock (_lock)
        {
            _seen.Add(name);
            fault = _rule(name, _seen.Count(seen => seen == name));
        }

        switch (fault)
        {
            case Fault.CutBefore:
                context.Abort();
                return;
            case Fault.AnswerBefore answer:
                await Answer(context, answer.Status, answer.Code, answer.RetryAfter, answer.Body);
                return;
            case Fault.Before before:
                await before.Happens();
                break;
            case Fault.Held held:
                await Hold(context, target, body.ToArray(), held.Gate);
                return;
        }

        using var request = Request(context, target, body.ToArray());
        using var response = await _back.SendAsync(request);
        var content = await response.Content.ReadAsByteArrayAsync();
        switch (fault)
        {
            case Fault.CutAfter cut:
                await (cut.Then?.Invoke() ?? Task.CompletedTask);
                context.Abort();
                return;
            case Fault.AnswerAfter answer:
                await Answer(context, answer.Status, answer.Code, retryAfter: null, body: null);
                return;
        }

        context.Response.StatusCode = (int)response.StatusCode;
        foreach (
            var (header, values) in response
                .Headers.Concat(response.Content.Headers)
                .Where(header => !OfTheConnection.Contains(header.Key, StringComparer.OrdinalIgnoreCase))
        )
        {
            context.Response.Headers.Append(header, values.ToArray());
        }

        if (content.Length > 0)
        {
            await context.Response.Body.WriteAsync(content);
        }
    }

    private async Task Hold(HttpContext context, string target, byte[] body, Gate gate)
    {
        var request = Request(context, target, body);
        var arrived = Arrive();
        lock (_lock)
        {
            _held.Add(arrived);
        }

        // The client gives up, and its request goes on without it.
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registered = context.RequestAborted.Register(gone.SetResult);
        await Task.WhenAny(arrived, gone.Task);

        async Task Arrive()
        {
            await gate.Pass(CancellationToken.None);
            using (request)
            {
                using var response = await _back.SendAsync(request);
            }
        }
    }

    private HttpRequestMessage Request(HttpContext context, string target, byte[] body)
    {
        var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method),
            new Uri($"http://127.0.0.1:{_port}{target}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true })
        )
        {
            Content = new ByteArrayContent(body),
        };
        foreach (
            var (header, values) in context.Request.Headers.Where(header =>
                !OfTheConnection.Contains(header.Key, StringComparer.OrdinalIgnoreCase)
            )
        )
        {
            if (!request.Headers.TryAddWithoutValidation(header, (IEnumerable<string?>)values))
            {
                request.Content.Headers.TryAddWithoutValidation(header, (IEnumerable<string?>)values);
            }
        }

        return request;
    }

    private static async Task Answer(HttpContext context, int status, string? code, int? retryAfter, string? body)
    {
        context.Response.StatusCode = status;
        if (code is not null)
        {
            context.Response.Headers["x-ms-error-code"] = code;
        }

        if (retryAfter is { } seconds)
        {
            context.Response.Headers.RetryAfter = $"{seconds}";
        }

        // Tables look for the one, blobs for the other.
        const string Message = "Made by the test.";
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(
            body
                ?? JsonSerializer.Serialize(
                    new Dictionary<string, object>
                    {
                        ["odata.error"] = new { code, message = new { lang = "en-US", value = Message } },
                        ["error"] = new { code, message = Message },
                    }
                )
        );
    }

    private static string Last(string target)
    {
        var path = target.Split('?')[0];
        var last = path[(path.LastIndexOf('/') + 1)..];
        var bracket = last.IndexOf('(', StringComparison.Ordinal);
        return bracket < 0 ? last : last[..bracket];
    }
}
