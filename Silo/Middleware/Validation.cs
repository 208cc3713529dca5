using System.Text.Json.Serialization.Metadata;
using Grpc.AspNetCore.Server;
using Silo.Endpoints;

namespace Silo.Middleware;

/// <summary>A route's rule: these parameters of the query, and no others.</summary>
public sealed record TakesQuery(params string[] Names);

/// <summary>
/// Holds each request to what its route says that it takes: a JSON body that can be read, without unknown members; a query without unknown
/// parameters.
/// </summary>
public sealed class Validation(RequestDelegate next, ListeningEndpoints endpoints)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is RouteEndpoint route)
        {
            var problem = IsElsewhere(context, route) ? Problem.NotFound($"{context.Request.Path} is not at this door.") : null;
            problem ??= route.Metadata.GetMetadata<TakesQuery>() is { } query ? Unknown(context.Request, query) : null;
            if (problem is null && route.Metadata.GetMetadata<ITakesBody>() is { } body)
            {
                problem = await body.Read(context);
            }

            if (problem is not null)
            {
                await problem.ExecuteAsync(context);
                return;
            }
        }

        await next(context);
    }

    /// <summary>
    /// Each port answers its own: gRPC's nothing but gRPC, OTLP's little beside OTLP, and HTTP's nothing of gRPC.
    /// </summary>
    private bool IsElsewhere(HttpContext context, RouteEndpoint route)
    {
        var endpoint = endpoints.Open.FirstOrDefault(open => open.Port == context.Connection.LocalPort);
        var isGrpc = route.Metadata.GetMetadata<GrpcMethodMetadata>() is not null;
        return (endpoint is { Protocol: EndpointProtocol.Grpc }) != isGrpc
            || (endpoint is { IsLimited: true } && route.Metadata.GetMetadata<OnOtlpEndpoint>() is null);
    }

    private static Problem? Unknown(HttpRequest request, TakesQuery takes)
    {
        Fault[] faults =
        [
            .. request
                .Query.Keys.Where(name => !takes.Names.Contains(name))
                .Select(name => new Fault(
                    $"There is no parameter \"{name}\"; "
                        + $"{(takes.Names is [] ? "this takes none" : $"this takes {string.Join(", ", takes.Names)}")}.",
                    Parameter: name
                )),
            .. request
                .Query.Where(pair => pair.Value.Count > 1)
                .Select(pair => new Fault($"\"{pair.Key}\" stands {pair.Value.Count} times; once is right.", Parameter: pair.Key)),
        ];
        return faults is [] ? null : Problem.Invalid(faults);
    }
}

/// <summary>A route's rule: a body of this kind.</summary>
public interface ITakesBody
{
    /// <summary>What was read by the chain.</summary>
    static T BodyOf<T>(HttpContext context)
        where T : class =>
        context.Features.Get<T>()
        ?? throw new InvalidOperationException($"{context.Request.Path} has no rule that its body is a {typeof(T).Name}.");

    /// <summary>Reads the body and keeps it with the request; what is wrong with it, or null.</summary>
    Task<Problem?> Read(HttpContext context);
}

/// <summary>
/// A JSON object of at most <paramref name="maxBytes"/>, whose members are those of <typeparamref name="T"/> and no others.
/// </summary>
public sealed class TakesBody<T>(JsonTypeInfo<T> type, int maxBytes) : ITakesBody
    where T : class
{
    public async Task<Problem?> Read(HttpContext context)
    {
        var request = context.Request;
        if (!request.HasJsonContentType())
        {
            return new(
                StatusCodes.Status415UnsupportedMediaType,
                $"{request.Path} takes application/json; this is {request.ContentType ?? "of no kind that is named"}."
            );
        }

        if (await BoundedBytes(request, context.RequestAborted) is not { } bytes)
        {
            return new(StatusCodes.Status413PayloadTooLarge, $"The body has {maxBytes} bytes at most.");
        }

        var read = JsonBody.Read(bytes, type);
        if (read.Value is null)
        {
            return Problem.Invalid(read.Faults);
        }

        context.Features.Set(read.Value);
        return null;
    }

    private async Task<ReadOnlyMemory<byte>?> BoundedBytes(HttpRequest request, CancellationToken cancel)
    {
        if (request.ContentLength > maxBytes)
        {
            return null;
        }

        var bytes = new MemoryStream();
        var buffer = new byte[8192];
        for (int read; (read = await request.Body.ReadAsync(buffer, cancel)) > 0; )
        {
            if (bytes.Length + read > maxBytes)
            {
                return null;
            }

            bytes.Write(buffer, 0, read);
        }

        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }
}
