using Google.Protobuf.WellKnownTypes;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Grpc.Core;
using Silo.Middleware;
using Silo.Orders.Wire;

namespace Silo.Orders;

/// <summary>Watches over gRPC: <c>watch.proto</c> says what is promised.</summary>
public sealed class OrderWatchService(OrderWatches watches, LongAnswers places, IHostApplicationLifetime application)
    : OrderWatch.OrderWatchBase
{
    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchEvent> responseStream, ServerCallContext context)
    {
        using var place = places.Take() ?? throw new RpcException(new(StatusCode.ResourceExhausted, places.Full.Detail));
        var opening = await watches.Open(
            request.From is "" ? null : request.From,
            request.OrderId is "" ? null : request.OrderId,
            context.CancellationToken
        );
        using var watcher = opening.Watcher ?? throw Refused(opening);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, application.ApplicationStopping);
        try
        {
            await responseStream.WriteAsync(new() { Cursor = watcher.Cursor }, either.Token);
            while (true)
            {
                var batch = await watcher.Next(SharedBatches.Take, OrderWatchEvents.Quiet, either.Token);
                if (batch.Compacted is { } compacted)
                {
                    throw Refused(WatchOpening.Compacted(compacted));
                }

                foreach (var item in batch.Items)
                {
                    await responseStream.WriteAsync(Event(item, request.Previous), either.Token);
                }

                if (batch.Items.IsEmpty)
                {
                    await responseStream.WriteAsync(new() { Cursor = batch.Cursor }, either.Token);
                }
            }
        }
        catch (OperationCanceledException) when (application.ApplicationStopping.IsCancellationRequested)
        {
            throw new RpcException(new(StatusCode.Unavailable, "The silo stops. Go on at another with the last cursor."));
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // Whoever watched has left.
        }
    }

    private static RpcException Refused(WatchOpening opening) =>
        opening.Refusal switch
        {
            WatchRefusal.Invalid => new(new(StatusCode.InvalidArgument, opening.Detail!)),
            WatchRefusal.Compacted => new(
                new(StatusCode.OutOfRange, opening.Detail!),
                new Metadata { { "lowest-cursor", opening.Lowest! } }
            ),
            WatchRefusal.Full => new(new(StatusCode.ResourceExhausted, opening.Detail!)),
            _ => throw new ArgumentOutOfRangeException(nameof(opening), opening.Refusal, "No refusal."),
        };

    private static WatchEvent Event(WatchItem item, bool previous)
    {
        var change = item.Change.Change;
        return new()
        {
            Cursor = item.Cursor,
            Change = new()
            {
                OrderId = change.OrderId.Value,
                Version = change.Version,
                Type = change.Type,
                At = change.At.ToTimestamp(),
                Order = OrderMessages.Of(change.Order),
                Previous = previous && change.Previous is { } before ? OrderMessages.Of(before) : null,
            },
        };
    }
}
