using Grains;
using Grains.Interfaces.Logs;
using Grains.Logs;
using Grains.Logs.Intake;
using Grains.Logs.Ndjson;
using Grains.Logs.Otlp;
using Grains.Logs.Records;
using Grains.Logs.Segments;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;
using Silo.Middleware;

namespace Silo.Logs;

/// <summary>What a request of log records is written in.</summary>
internal enum LogFormat
{
    OtlpProtobuf,
    OtlpJson,
    Ndjson,
}

/// <summary>What became of a request: what it held, stored or refused by record; or why nothing of it was taken.</summary>
internal readonly record struct LogAnswer(Decoded? Decoded, Problem? Problem);

/// <summary>
/// The way of every request of log records, over HTTP or gRPC: room is made before anything of it is read, it is read into that room,
/// decoded, and handed in;
/// it is answered when what was taken of it is durable.
/// </summary>
internal sealed class LogIngestEndpoint(
    ILogIntake intake,
    IOptions<LogsOptions> options,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards
)
{
    /// <summary>
    /// In which all of a body is to have arrived; exporters give up after ten seconds. <see cref="PacedStream"/> has the least speed.
    /// </summary>
    public static readonly TimeSpan BodyPatience = TimeSpan.FromSeconds(30);

    /// <summary>When a sender gives up that does not say so: OpenTelemetry's default.</summary>
    public static readonly TimeSpan SenderPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    private static readonly Problem Full = new(
        StatusCodes.Status429TooManyRequests,
        "There is no room for more log records at the moment (Logs:BufferBytes). Come again when Retry-After is over.",
        RetryAfter: TryAgainAfter
    );

    private static readonly Problem Unavailable = new(
        StatusCodes.Status503ServiceUnavailable,
        "The records could not be stored at the moment. Come again when Retry-After is over.",
        RetryAfter: TryAgainAfter
    );

    private int MaxRequestBytes => options.Value.MaxRequestBytes;

    /// <param name="wire">The body, from its first byte.</param>
    /// <param name="length">Of what comes over the wire, when it is known.</param>
    /// <param name="service">Of records that name none.</param>
    /// <param name="patience">How long the sender will wait from now.</param>
    public async Task<LogAnswer> Take(
        HttpContext context,
        Stream wire,
        long? length,
        bool isGzip,
        LogFormat format,
        TimeSpan patience,
        string? service = null
    )
    {
        if (length > MaxRequestBytes)
        {
            return new(null, TooLarge);
        }

        var deadline = guards.GetUtcNow() + patience;
        await using var paced = new PacedStream(wire, guards);
        using var ticket = intake.Admit(RequestBody.FirstAdmission(length), paced.GiveUp);
        if (ticket is null)
        {
            return new(null, Full);
        }

        paced.Ticket = ticket;
        using var body = await Read(context, paced, length, isGzip, ticket);
        if (body.Fault == BodyFault.Slow)
        {
            ticket.OnTooSlow();
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }

        if (Problem(body.Fault) is { } problem)
        {
            return new(null, problem);
        }

        var (decoded, block, id) = (default(Decoded), default(LogBlock), default(LogRequestId));
        try
        {
            (decoded, block, id) = Decode(context, body.Bytes, format, service);
        }
        catch (OtlpException wrong)
        {
            return new(null, new(StatusCodes.Status400BadRequest, wrong.Message));
        }

        body.Dispose(); // While it waits to be stored, it is held once.
        switch (await intake.Accept(ticket, block, decoded, id, deadline, context.RequestAborted))
        {
            case IntakeReply.Stored:
                ReportIfLost(context, id);
                return new(decoded, null);
            case IntakeReply.Full:
                return new(null, Full);
            default:
                return new(null, Unavailable);
        }
    }

    /// <summary>
    /// The answer is lost when the sender is gone as it begins, or when it never begins. Once it began nothing is concluded from the end of
    /// the connection: whoever has the answer may close at once.
    /// </summary>
    private void ReportIfLost(HttpContext context, LogRequestId id)
    {
        var (aborted, isBegun) = (context.RequestAborted, false);
        context.Response.OnStarting(() =>
        {
            isBegun = true;
            if (aborted.IsCancellationRequested)
            {
                intake.AnswerLost(id);
            }

            return Task.CompletedTask;
        });
        context.Response.OnCompleted(() =>
        {
            if (!isBegun)
            {
                intake.AnswerLost(id);
            }

            return Task.CompletedTask;
        });
    }

    private async ValueTask<RequestBody> Read(HttpContext context, PacedStream wire, long? length, bool isGzip, Admission.Ticket ticket)
    {
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null; // The server's own least speed would end it without an answer that says why, and uncounted.
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(wire.TooSlow, context.RequestAborted);
        var body = await RequestBody.Read(wire, length, isGzip, ticket, MaxRequestBytes, either.Token);
        context.RequestAborted.ThrowIfCancellationRequested();
        return body;
    }

    private Problem? Problem(BodyFault fault) =>
        fault switch
        {
            BodyFault.TooLarge => TooLarge,
            BodyFault.Full => Full,
            BodyFault.Broken => new(StatusCodes.Status400BadRequest, "The body is cut off, or is not the gzip that its encoding says."),
            BodyFault.Slow => new(
                StatusCodes.Status408RequestTimeout,
                $"The body came slower than {PacedStream.LeastBytes / PacedStream.Window.TotalSeconds:0} bytes a second, or "
                    + $"took longer than {BodyPatience.TotalSeconds:0} s. The connection is closed."
            ),
            _ => null,
        };

    private Problem TooLarge =>
        new(
            StatusCodes.Status413PayloadTooLarge,
            $"A request has {MaxRequestBytes} bytes at most, after decompression (Logs:MaxRequestBytes); send it in parts."
        );

    private (Decoded Decoded, LogBlock Block, LogRequestId Id) Decode(
        HttpContext context,
        ReadOnlySpan<byte> bytes,
        LogFormat format,
        string? service
    )
    {
        using var activity = LogsTracing.Source.StartActivity(LogsTracing.Decode);
        var limits = new DecodeLimits(options.Value.MaxRecordBytes);
        var now = LogForm.Nanoseconds(clock.GetUtcNow());
        using var builder = new LogBlockBuilder();
        var decoded = Decode(bytes, format, service, limits, now, builder);
        var caller = Caller.Of(context).Name;
        var id = context.Request.Headers["Idempotency-Key"] is [{ Length: > 0 } key]
            ? RequestIds.OfKey(caller, key)
            : RequestIds.OfBytes(caller, bytes);
        return (decoded, builder.Build(), id);
    }

    private static Decoded Decode(
        ReadOnlySpan<byte> bytes,
        LogFormat format,
        string? service,
        DecodeLimits limits,
        ulong now,
        LogBlockBuilder builder
    )
    {
        switch (format)
        {
            case LogFormat.OtlpProtobuf:
                using (var protobuf = new OtlpDecoder(limits))
                {
                    return protobuf.Decode(bytes, now, builder);
                }

            case LogFormat.OtlpJson:
                using (var json = new OtlpDecoder(limits))
                {
                    return json.DecodeJson(bytes, now, builder);
                }

            default:
                using (var lines = new NdjsonDecoder(limits, service ?? ""))
                {
                    return lines.Decode(bytes, now, builder);
                }
        }
    }
}
