using Grains.Interfaces.Keys;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Silo.Http;
using Silo.Middleware;

namespace Silo.Orders;

/// <summary>Watches of orders, over HTTP and gRPC.</summary>
public static class OrderWatchRoutes
{
    public static void MapOrderWatches(this WebApplication app)
    {
        var orders = app.MapGroup("/api/orders").WithTags("orders");
        orders
            .MapGet(
                "watch",
                (
                    HttpContext context,
                    OrderWatches watches,
                    LongAnswers places,
                    IHostApplicationLifetime application,
                    string? from = null,
                    string? id = null,
                    string? previous = null
                ) => Watch(watches, places, application, from, id, previous)
            )
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("from", "id", "previous"))
            .WithSummary(
                "Server-sent events: each change of orders once and in order per order, after \"from\": a cursor, \"start\" for "
                    + "the oldest that is kept, nothing for now. Each event's id is a cursor, for Last-Event-ID; what is not "
                    + "kept any more is 410."
            )
            .WithName("watchOrders")
            .DescribesChoice("previous", "false", "true", "false")
            .DescribesHeader("Last-Event-ID", "The cursor of the event that was seen last; it counts before \"from\".")
            .Refuses(StatusCodes.Status410Gone)
            .Streams<WatchForm>(MediaTypes.Events);
        orders
            .MapGet(
                "{id}/watch",
                (
                    string id,
                    OrderWatches watches,
                    LongAnswers places,
                    IHostApplicationLifetime application,
                    string? from = null,
                    string? previous = null
                ) => Watch(watches, places, application, from, id, previous)
            )
            .For(ApiRole.Reader)
            .WithMetadata(new TakesQuery("from", "previous"))
            .WithSummary("The same, of one order.")
            .WithName("watchOrder")
            .DescribesChoice("previous", "false", "true", "false")
            .DescribesHeader("Last-Event-ID", "The cursor of the event that was seen last; it counts before \"from\".")
            .Refuses(StatusCodes.Status410Gone)
            .Streams<WatchForm>(MediaTypes.Events);
        app.MapGrpcService<OrderWatchService>().For(ApiRole.Reader);
    }

    private static IResult Watch(
        OrderWatches watches,
        LongAnswers places,
        IHostApplicationLifetime application,
        string? from,
        string? id,
        string? previous
    )
    {
        var with = false;
        return previous is not null && !bool.TryParse(previous, out with)
            ? Problem.Invalid(new Fault($"\"previous\" is true or false; this is \"{previous}\".", Parameter: "previous"))
            : new OrderWatchEvents(watches, places, from, id, with, application.ApplicationStopping);
    }
}
