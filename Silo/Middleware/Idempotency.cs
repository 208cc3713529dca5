using Grains.Interfaces.Orders;

namespace Silo.Middleware;

/// <summary>A route's rule: it does something once per Idempotency-Key.</summary>
public sealed record OncePerKey;

/// <summary>
/// Reads the <c>Idempotency-Key</c> (draft-ietf-httpapi-idempotency-key-header-07) where a route does something once per key: a structured
/// string, with its quotes or without.
/// It is needed as soon as callers are told apart by API keys; without them, on this machine alone, each request may be one of its own.
/// </summary>
/// <remarks>
/// Who has been answered is known where the work is kept, in the commit with it (the first answer again; 422 for another payload; 409 while
/// it is being done): so neither a crash between the two
/// nor a second silo can come between the work and its record.
/// </remarks>
public sealed class Idempotency(RequestDelegate next)
{
    public const string Header = "Idempotency-Key";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<OncePerKey>() is not null && Read(context) is { } problem)
        {
            await problem.ExecuteAsync(context);
            return;
        }

        await next(context);
    }

    public static IdempotencyKey KeyOf(HttpContext context) =>
        context.Features.Get<IdempotencyKey>()
        ?? throw new InvalidOperationException($"{context.Request.Path} has no rule that it is done once per key.");

    /// <summary>Null when there is a key, or none is needed.</summary>
    private static Problem? Read(HttpContext context)
    {
        var caller = Caller.Of(context);
        var header = context.Request.Headers[Header];
        if (header.Count == 0)
        {
            if (caller != Caller.ThisMachine)
            {
                return Wrong(
                    $"{Header} is missing: a text of your choice, a new one for each thing that is to be done once, such as a UUID."
                );
            }

            context.Features.Set(IdempotencyKey.Random());
            return null;
        }

        var key = header.Count == 1 ? header[0]!.Trim() : "";
        if (key is ['"', _, .., '"'])
        {
            key = key[1..^1];
        }

        if (!IdempotencyKey.IsKey(key) || key.Contains('"', StringComparison.Ordinal) || key.Contains('\\', StringComparison.Ordinal))
        {
            return Wrong(
                $"{Header} stands once and has 1 to {IdempotencyKey.MaxLength} printable ASCII characters without quotes and backslashes."
            );
        }

        context.Features.Set(IdempotencyKey.Of(caller == Caller.ThisMachine ? "this machine" : "key " + caller.Name, key));
        return null;
    }

    private static Problem Wrong(string detail) => new(StatusCodes.Status400BadRequest, detail);
}

/// <summary>The rule as it is written where a route is mapped.</summary>
public static class IdempotencyRules
{
    public static RouteHandlerBuilder TakesIdempotencyKey(this RouteHandlerBuilder route) =>
        route
            .WithMetadata(new OncePerKey())
            .DescribesHeader(
                Idempotency.Header,
                "Names what is asked for: asked again under the same key, it is not done again, and gets the first answer. "
                    + "Needed where callers have API keys."
            );
}
