using System.Collections.Immutable;
using Grains.Orders.Deliveries.Webhooks;
using Microsoft.AspNetCore.Http;

namespace Client.Demo;

/// <summary>What the endpoint was told, kept outside of the silo.</summary>
/// <param name="Changes">Versions and types by <c>webhook-id</c>, each once, whose signature is good.</param>
/// <param name="Again">Requests under an id that had come before.</param>
/// <param name="Wrong">Requests whose signature is not good.</param>
internal sealed record HookLedger(ImmutableSortedSet<string> Changes, int Again, int Wrong);

/// <summary>A webhook's endpoint on loopback, which checks every signature.</summary>
internal sealed class DemoHook : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly SortedSet<string> _ids = new(StringComparer.Ordinal);
    private readonly TimeProvider _clock;
    private LoopbackServer _server = null!;
    private WebhookSecret[] _secrets = [];
    private int _again;
    private int _wrong;

    private DemoHook(TimeProvider clock) => _clock = clock;

    public Uri Url => new(_server.Url, "orders");

    public static async Task<DemoHook> Open(TimeProvider clock, CancellationToken cancel)
    {
        var hook = new DemoHook(clock);
        hook._server = await LoopbackServer.Open(hook.Answer, cancel);
        return hook;
    }

    /// <summary>What it checks signatures with, as <c>webhooks add</c> told.</summary>
    public void Expect(WebhookSecret secret)
    {
        lock (_lock)
        {
            _secrets = [secret];
        }
    }

    public HookLedger Read()
    {
        lock (_lock)
        {
            return new([.. _ids], _again, _wrong);
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task Answer(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        context.Response.StatusCode = Count(context.Request.Headers, body.ToArray())
            ? StatusCodes.Status204NoContent
            : StatusCodes.Status401Unauthorized;
    }

    private bool Count(IHeaderDictionary headers, byte[] body)
    {
        string? id = headers[WebhookSignature.IdHeader],
            time = headers[WebhookSignature.TimestampHeader],
            signature = headers[WebhookSignature.SignatureHeader];
        lock (_lock)
        {
            if (
                WebhookSignature.Verify(id, time, signature, body, _secrets, _clock.GetUtcNow(), WebhookSignature.Tolerance)
                != SignatureVerdict.Good
            )
            {
                _wrong++;
                return false;
            }

            _again += _ids.Add(id!) ? 0 : 1;
            return true;
        }
    }
}
