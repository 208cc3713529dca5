using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Silo.Middleware;

namespace Silo.Logs;

/// <summary>
/// <c>POST /v1/logs</c>: OTLP over HTTP (OpenTelemetry protocol 1.x, "OTLP/HTTP"), in protobuf or JSON, compressed with gzip or not. It is
/// answered in the kind that it
/// came in, also when it is refused: then with a <c>google.rpc.Status</c>.
/// </summary>
internal sealed class OtlpHttp(LogIngestEndpoint door) : ITellsProblems
{
    public const string Protobuf = "application/x-protobuf";
    public const string Json = "application/json";

    public async Task Take(HttpContext context)
    {
        var request = context.Request;
        if (FormatOf(request) is not { } format)
        {
            await Tell(
                context,
                new(
                    StatusCodes.Status415UnsupportedMediaType,
                    $"OTLP comes as {Protobuf} or {Json}; this is {request.ContentType ?? "of no kind that is named"}."
                )
            );
            return;
        }

        if (LogBodies.Encoding(request) is not { } encoding)
        {
            context.Response.Headers.AcceptEncoding = "gzip";
            await Tell(
                context,
                new(
                    StatusCodes.Status415UnsupportedMediaType,
                    $"A body is compressed with gzip or not at all; this is {request.Headers.ContentEncoding}."
                )
            );
            return;
        }

        LogBodies.Widen(context);
        var answer = await door.Take(
            context,
            request.Body,
            request.ContentLength,
            encoding == LogBodies.Gzip,
            format,
            LogIngestEndpoint.SenderPatience
        );
        if (answer.Problem is { } problem)
        {
            await Tell(context, problem);
            return;
        }

        await Write(
            context,
            StatusCodes.Status200OK,
            OtlpForms.Response(answer.Decoded!, format == LogFormat.OtlpJson),
            format == LogFormat.OtlpJson
        );
    }

    /// <summary>What cannot be answered in the kind that it came in is answered in JSON.</summary>
    public Task Tell(HttpContext context, Problem problem)
    {
        if (problem.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        var isJson = FormatOf(context.Request) != LogFormat.OtlpProtobuf;
        return Write(context, problem.Status, OtlpForms.Status(OtlpForms.CodeOf(problem.Status), problem.Detail, isJson), isJson);
    }

    private static LogFormat? FormatOf(HttpRequest request) =>
        !MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? null
        : type.MediaType.Equals(Protobuf, StringComparison.OrdinalIgnoreCase) ? LogFormat.OtlpProtobuf
        : type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase) ? LogFormat.OtlpJson
        : null;

    private static Task Write(HttpContext context, int status, byte[] body, bool isJson)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = isJson ? Json : Protobuf;
        context.Response.ContentLength = body.Length;
        return body is [] ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}

/// <summary>What bodies of log records have in common over HTTP.</summary>
internal static class LogBodies
{
    public const string Gzip = "gzip";
    public const string Identity = "identity";

    /// <summary><see cref="Gzip"/> or <see cref="Identity"/>; null when it is another one.</summary>
    public static string? Encoding(HttpRequest request) =>
        request.Headers.ContentEncoding switch
        {
            [] or [null or ""] => Identity,
            [{ } one] when one.Equals(Identity, StringComparison.OrdinalIgnoreCase) => Identity,
            [{ } one]
                when one.Equals(Gzip, StringComparison.OrdinalIgnoreCase) || one.Equals("x-gzip", StringComparison.OrdinalIgnoreCase) =>
                Gzip,
            _ => null,
        };

    /// <summary>
    /// This request may be larger than others: <see cref="RequestBody"/> bounds it. What is refused unread is passed over by the server,
    /// for a few seconds, so that the answer arrives.
    /// </summary>
    public static void Widen(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
    }
}
