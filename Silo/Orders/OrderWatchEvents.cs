using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Silo.Http;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>
/// Changes of orders as server-sent events (WHATWG HTML §9.2), each with a cursor as its id: <c>change</c> with a <see cref="WatchForm"/>;
/// <c>progress</c> with the cursor alone, at once and when
/// nothing came for <see cref="Quiet"/>, which promises that all below it was sent; <c>compacted</c>, when what comes next is not kept any
/// more, and then the stream ends.
/// </summary>
/// <remarks>
/// Who comes back with <c>Last-Event-ID</c> goes on after that event. A client that reads slowly is waited for, with at most one answer of
/// its <see cref="Watcher"/> in memory
/// and what Kestrel buffers of it (64 KiB); one that reads nothing for long is cut off by Kestrel, and comes back.
/// </remarks>
/// <param name="From">A cursor, <see cref="OrderWatches.Start"/>, or null for now.</param>
internal sealed record OrderWatchEvents(
    OrderWatches Watches,
    LongAnswers Places,
    string? From,
    string? Order,
    bool Previous,
    CancellationToken Stopping
) : IResult
{
    /// <summary>After so long without a change a progress notice is sent; it also keeps the connection from being taken for dead.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    /// <summary>When the connection breaks, a browser comes back after this.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private static readonly byte[] ChangeHead = "\nevent: change\ndata: {\"cursor\":\""u8.ToArray();

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var place = Places.Take();
        if (place is null)
        {
            await Places.Full.ExecuteAsync(httpContext);
            return;
        }

        var (request, response) = (httpContext.Request, httpContext.Response);
        var from = request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last ? last : From;
        var opening = await Watches.Open(from, Order, httpContext.RequestAborted);
        using var watcher = opening.Watcher;
        if (watcher is null)
        {
            await Refused(opening).ExecuteAsync(httpContext);
            return;
        }

        response.ContentType = MediaTypes.Events;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        // A silo that stops ends its streams at once; whoever watches comes back to another.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, Stopping);
        try
        {
            await Send(response.BodyWriter, watcher, either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            // What was sent is whole, and whoever comes back with its cursor misses nothing.
        }
    }

    public static Problem Refused(WatchOpening opening) =>
        opening.Refusal switch
        {
            WatchRefusal.Invalid => Problem.Invalid(new Fault(opening.Detail!)),
            WatchRefusal.Compacted => new(StatusCodes.Status410Gone, opening.Detail!),
            WatchRefusal.Full => new(StatusCodes.Status503ServiceUnavailable, opening.Detail!, RetryAfter: TimeSpan.FromSeconds(5)),
            _ => throw new ArgumentOutOfRangeException(nameof(opening), opening.Refusal, "No refusal."),
        };

    private async Task Send(PipeWriter body, Watcher watcher, CancellationToken cancel)
    {
        Write(body, $"retry: {Retry.TotalMilliseconds:0}\n\n{Progress(watcher.Cursor)}");
        while (!(await body.FlushAsync(cancel)).IsCompleted)
        {
            var batch = await watcher.Next(SharedBatches.Take, Quiet, cancel);
            if (batch.Compacted is { } compacted)
            {
                var form = new WatchCompactedForm(compacted.Detail, compacted.Lowest);
                Write(body, $"event: compacted\ndata: {JsonSerializer.Serialize(form, OrdersJson.AsItIs.WatchCompactedForm)}\n\n");
                await body.FlushAsync(cancel);
                return;
            }

            if (batch.Items.IsEmpty)
            {
                Write(body, Progress(batch.Cursor));
            }
            else if (batch.IsShared)
            {
                body.Write(batch.Written(Previous, Whole));
            }
            else
            {
                Write(body, batch, Previous);
            }
        }
    }

    private static string Progress(string cursor) => $"id: {cursor}\nevent: progress\ndata: {{\"cursor\":\"{cursor}\"}}\n\n";

    /// <summary>What is the same for all watchers who stand at the same place: all of it.</summary>
    internal static byte[] Whole(WatchBatch batch, bool previous)
    {
        var events = new ArrayBufferWriter<byte>();
        Write(events, batch, previous);
        return events.WrittenSpan.ToArray();
    }

    private static void Write(IBufferWriter<byte> body, WatchBatch batch, bool previous)
    {
        foreach (var item in batch.Items)
        {
            body.Write("id: "u8);
            Write(body, item.Cursor);
            body.Write(ChangeHead);
            Write(body, item.Cursor);
            body.Write(item.Change.Written(previous, Rest));
        }
    }

    /// <summary>What is the same for all watchers: the change without the cursor in front, and the end of the event.</summary>
    private static byte[] Rest(OrderChange change, bool previous)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(WatchForm.Of("", change, previous), OrdersJson.AsItIs.WatchForm);
        return [.. json.AsSpan("{\"cursor\":\"".Length), .. "\n\n"u8];
    }

    private static void Write(IBufferWriter<byte> body, string text) => Encoding.UTF8.GetBytes(text, body);
}

/// <summary>The last event of a watch that cannot go on.</summary>
/// <param name="Error">A sentence that names the lowest change that is kept.</param>
/// <param name="Lowest">The cursor to go on from without what is missing.</param>
public sealed record WatchCompactedForm(string Error, string Lowest);
