using System.Buffers.Binary;
using System.Globalization;
using Grains.Net;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.Net.Http.Headers;
using Silo.Middleware;

namespace Silo.Logs;

/// <summary>
/// <c>opentelemetry.proto.collector.logs.v1.LogsService/Export</c>: OTLP over gRPC, read straight from the stream ("gRPC over HTTP2",
/// length-prefixed messages), so that room is
/// made by the message's length before the message is held, and no object is built of it. Compressed with gzip or not.
/// </summary>
internal sealed class OtlpGrpc(LogIngestEndpoint door) : ITellsProblems
{
    public const string Path = "/" + LogsService.FullName + "/Export";

    private const string ContentType = "application/grpc";
    private const int PrefixBytes = 5;

    /// <summary>By which gRPC's door and its reflection know the route.</summary>
    public static GrpcMethodMetadata Method { get; } =
        new(
            typeof(LogsService.Endpoint),
            new Method<byte[], byte[]>(
                MethodType.Unary,
                LogsService.FullName,
                "Export",
                Marshallers.Create(bytes => bytes, bytes => bytes),
                Marshallers.Create(bytes => bytes, bytes => bytes)
            )
        );

    public async Task Take(HttpContext context)
    {
        var request = context.Request;
        if (
            !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !(
                type.MediaType.Equals(ContentType, StringComparison.OrdinalIgnoreCase)
                || type.MediaType.Equals(ContentType + "+proto", StringComparison.OrdinalIgnoreCase)
            )
        )
        {
            // As the protocol says: not gRPC, so no status of gRPC.
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return;
        }

        LogBodies.Widen(context);
        var prefix = new byte[PrefixBytes];
        if (await request.Body.ReadAtLeastAsync(prefix, PrefixBytes, throwOnEndOfStream: false, context.RequestAborted) < PrefixBytes)
        {
            await Tell(context, new(StatusCodes.Status400BadRequest, "There is no message."));
            return;
        }

        var encoding = request.Headers["grpc-encoding"].ToString();
        if (prefix[0] != 0 && encoding != LogBodies.Gzip)
        {
            context.Response.Headers["grpc-accept-encoding"] = "identity,gzip";
            await Tell(
                context,
                new(
                    StatusCodes.Status501NotImplemented,
                    $"A message is compressed with gzip or not at all; this is {(encoding is "" ? "of no kind that is named" : encoding)}."
                )
            );
            return;
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix.AsSpan(1));
        var answer = await door.Take(
            context,
            new MessageStream(request.Body, length),
            length,
            isGzip: prefix[0] != 0,
            LogFormat.OtlpProtobuf,
            Patience(request)
        );
        if (answer.Problem is { } problem)
        {
            await Tell(context, problem);
            return;
        }

        var reply = OtlpForms.Response(answer.Decoded!, isJson: false);
        var framed = new byte[PrefixBytes + reply.Length];
        BinaryPrimitives.WriteUInt32BigEndian(framed.AsSpan(1), (uint)reply.Length);
        reply.CopyTo(framed, PrefixBytes);
        context.Response.ContentType = ContentType;
        await context.Response.Body.WriteAsync(framed, context.RequestAborted);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>A status without a message ("Trailers-Only"), with <c>google.rpc.RetryInfo</c> when it may be sent again.</summary>
    public Task Tell(HttpContext context, Problem problem)
    {
        var (response, code) = (context.Response, OtlpForms.CodeOf(problem.Status));
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        response.Headers["grpc-status"] = code.ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(problem.Detail);
        if (problem.RetryAfter is { } wait)
        {
            response.Headers["grpc-status-details-bin"] = Convert
                .ToBase64String(OtlpForms.Status(code, problem.Detail, isJson: false, wait))
                .TrimEnd('=');
        }

        return Task.CompletedTask;
    }

    /// <summary>How long the sender waits (<c>grpc-timeout</c>); what it does not say, or says wrongly, is the usual.</summary>
    internal static TimeSpan Patience(HttpRequest request)
    {
        if (
            request.Headers["grpc-timeout"] is not [{ Length: >= 2 and <= 9 } text]
            || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        )
        {
            return LogIngestEndpoint.SenderPatience;
        }

        return text[^1] switch
        {
            'H' => TimeSpan.FromHours(number),
            'M' => TimeSpan.FromMinutes(number),
            'S' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMilliseconds(number),
            'u' => TimeSpan.FromMicroseconds(number),
            'n' => TimeSpan.FromMicroseconds(number / 1000d),
            _ => LogIngestEndpoint.SenderPatience,
        };
    }

    /// <summary>The one message of the body. An end within it, and anything behind it, is an <see cref="InvalidDataException"/>.</summary>
    private sealed class MessageStream(Stream body, long length) : ReadingStream
    {
        private readonly byte[] _end = new byte[1];
        private long _left = length;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0)
            {
                return await body.ReadAsync(_end, cancellationToken) == 0
                    ? 0
                    : throw new InvalidDataException("There is more than one message.");
            }

            var read = await body.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
            if (read == 0 && !buffer.IsEmpty)
            {
                throw new InvalidDataException($"{_left} bytes of the message are missing.");
            }

            _left -= read;
            return read;
        }
    }
}
