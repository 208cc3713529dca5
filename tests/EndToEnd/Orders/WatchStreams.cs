using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Doubles.Orders;
using Grains.Orders.Watch;
using Grpc.Core;
using Grpc.Net.Client;
using Silo.Orders.Wire;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>Watches of orders over streams, written down in a <see cref="WatchRecord"/> as they are told.</summary>
internal static class WatchStreams
{
    /// <summary>A stream that says nothing for so long is given up: notices come more often.</summary>
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(12);

    /// <summary>What whoever watches does when a stream ends: it comes back with its cursor.</summary>
    public static async Task AgainAndAgain(Func<CancellationTokenSource, Task> watch, CancellationToken leave)
    {
        while (!leave.IsCancellationRequested)
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(leave);
            cancel.CancelAfter(Stall);
            try
            {
                await watch(cancel);
            }
            catch (Exception e)
                when (e
                        is HttpRequestException
                            or IOException
                            or OperationCanceledException
                            or RpcException
                            {
                                StatusCode: StatusCode.Unavailable or StatusCode.Cancelled or StatusCode.Internal or StatusCode.Unknown
                            }
                )
            {
                // The silo or the network went away, or nothing was heard for long.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        }
    }

    /// <summary>One stream of server-sent events, to its end.</summary>
    /// <param name="from">Where it begins when nothing was told yet.</param>
    /// <param name="pause">Waited for after each event.</param>
    public static async Task Events(
        HttpClient http,
        IPEndPoint at,
        WatchRecord record,
        string? from,
        Func<Task> pause,
        CancellationTokenSource cancel
    )
    {
        var query =
            $"?previous={record.Previous}" + (from is null ? "" : $"&from={from}") + (record.Order is null ? "" : $"&id={record.Order}");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{at}/api/orders/watch{query}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (record.Cursor is { } cursor)
        {
            request.Headers.Add("Last-Event-ID", cursor);
        }

        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel.Token);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            return;
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            Assert.Fail($"{record.Name}: {response.StatusCode} {await response.Content.ReadAsStringAsync(cancel.Token)}");
        }

        record.Opened(record.Cursor ?? from);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel.Token);
        await foreach (var told in SseParser.Create(stream).EnumerateAsync(cancel.Token))
        {
            cancel.CancelAfter(Stall);
            Tell(record, told);
            await pause();
        }
    }

    /// <summary>One stream over gRPC, to its end; of all orders from the oldest change that is kept.</summary>
    public static async Task Grpc(IPEndPoint at, WatchRecord record, CancellationTokenSource cancel)
    {
        using var channel = GrpcChannel.ForAddress($"http://{at}");
        var from = record.Cursor ?? OrderWatches.Start;
        using var call = new OrderWatch.OrderWatchClient(channel).Watch(
            new() { From = from, Previous = record.Previous },
            cancellationToken: cancel.Token
        );
        var isOpen = false;
        await foreach (var told in call.ResponseStream.ReadAllAsync(cancel.Token))
        {
            cancel.CancelAfter(Stall);
            if (!isOpen)
            {
                record.Opened(from);
                isOpen = true;
            }

            if (told.Change is { } change)
            {
                record.Told(
                    new(
                        told.Cursor,
                        change.OrderId,
                        change.Version,
                        change.Type,
                        change.Order.Version,
                        change.Order.Status,
                        change.Previous?.Version,
                        change.Previous?.Status
                    )
                );
            }
            else
            {
                record.Progress(told.Cursor);
            }
        }
    }

    /// <summary>A change as the console and server-sent events have it.</summary>
    public static ToldChange Told(JsonElement change)
    {
        var (order, hasPrevious) = (change.GetProperty("order"), change.TryGetProperty("previous", out var previous));
        return new(
            change.GetProperty("cursor").GetString()!,
            change.GetProperty("orderId").GetString()!,
            change.GetProperty("version").GetInt64(),
            change.GetProperty("type").GetString()!,
            order.GetProperty("version").GetInt64(),
            order.GetProperty("status").GetString()!,
            hasPrevious ? previous.GetProperty("version").GetInt64() : null,
            hasPrevious ? previous.GetProperty("status").GetString() : null
        );
    }

    private static void Tell(WatchRecord record, SseItem<string> told)
    {
        var data = JsonElement.Parse(told.Data);
        switch (told.EventType)
        {
            case "change":
                Assert.Equal(told.EventId, data.GetProperty("cursor").GetString());
                record.Told(Told(data));
                break;
            case "progress":
                record.Progress(told.EventId!);
                break;
            default:
                record.Compacted(data.GetProperty("error").GetString()!, data.GetProperty("lowest").GetString()!);
                break;
        }
    }
}
