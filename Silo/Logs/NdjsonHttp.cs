using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Logs.Ndjson;
using Grains.Logs.Otlp;
using Microsoft.Net.Http.Headers;
using Silo.Middleware;

namespace Silo.Logs;

/// <summary>
/// <c>POST /api/logs</c>: log records, one JSON object a line (<see cref="NdjsonDecoder"/>), compressed with gzip or not. It is answered
/// with how many were taken,
/// and which lines were not and why. With an <c>Idempotency-Key</c> the same request may be sent again; without one each request is new.
/// </summary>
internal sealed class NdjsonHttp(LogIngestEndpoint door)
{
    /// <summary>The kinds of content that are taken for lines; the first is the one to use.</summary>
    public static readonly string[] Types =
    [
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/json-lines",
        "application/json",
        "text/plain",
    ];

    public async Task<IResult> Take(HttpContext context)
    {
        var request = context.Request;
        if (
            !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !Types.Contains(type.MediaType.Value, StringComparer.OrdinalIgnoreCase)
        )
        {
            return new Problem(
                StatusCodes.Status415UnsupportedMediaType,
                $"{request.Path} takes application/x-ndjson; this is {request.ContentType ?? "of no kind that is named"}."
            );
        }

        if (LogBodies.Encoding(request) is not { } encoding)
        {
            context.Response.Headers.AcceptEncoding = LogBodies.Gzip;
            return new Problem(
                StatusCodes.Status415UnsupportedMediaType,
                $"A body is compressed with gzip or not at all; this is {request.Headers.ContentEncoding}."
            );
        }

        string service = request.Query["service"].ToString();
        if (Encoding.UTF8.GetByteCount(service) > OtlpDecoder.MaxServiceBytes)
        {
            return Problem.Invalid(new Fault($"\"service\" has {OtlpDecoder.MaxServiceBytes} bytes at most.", Parameter: "service"));
        }

        LogBodies.Widen(context);
        var answer = await door.Take(
            context,
            request.Body,
            request.ContentLength,
            encoding == LogBodies.Gzip,
            LogFormat.Ndjson,
            LogIngestEndpoint.SenderPatience,
            service
        );
        return answer.Problem ?? (IResult)new Taken(answer.Decoded!);
    }

    private sealed class Taken(Grains.Logs.Records.Decoded decoded) : IResult
    {
        private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.ContentType = OtlpHttp.Json;
            await using var json = new Utf8JsonWriter(httpContext.Response.BodyWriter, Options);
            json.WriteStartObject();
            json.WriteNumber("accepted", decoded.Received - decoded.Refused);
            json.WriteStartArray("refused");
            foreach (var fault in decoded.Faults)
            {
                json.WriteStartObject();
                json.WriteNumber("line", fault.Place);
                json.WriteString("reason", fault.Sentence);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            if (decoded.Refused > decoded.Faults.Count)
            {
                json.WriteNumber("refusedInAll", decoded.Refused);
            }

            json.WriteEndObject();
        }
    }
}
