using Grains.Orders;
using Grains.Orders.Deliveries.Mail;
using Silo.StartUp;

namespace Silo.Orders;

/// <summary>Orders in the silo: their routes, watches and gRPC services, and who is told of their changes.</summary>
public sealed class OrdersModule : ISiloModule
{
    public IEnumerable<Type> Settings => [typeof(OrdersOptions), typeof(MailOptions), typeof(WebhooksOptions)];

    public void AddServices(WebApplicationBuilder builder) => builder.AddOrders();

    public void MapRoutes(WebApplication app)
    {
        app.MapOrders();
        app.MapOrderWatches();
        app.MapUnsubscribe();
        OrderBookService.Map(app);
    }
}
