using Grains.Client;
using Grains.Interfaces.Orders;

await using var cluster = await ClusterClient.Connect(args[0]);

var basket = new PlaceOrder
{
    Customer = "ann",
    Currency = "EUR",
    Lines = [new("tea", Quantity: 2, Price: 450)],
};
var placed = await cluster.Orders.Place("shop", key: args[1], basket);
var id = placed.Order?.Id ?? throw new InvalidOperationException(placed.Detail);
await cluster.Orders.Take(id, OrderStep.Pay, "shop", key: $"{args[1]}-paid");

await foreach (var (cursor, change) in cluster.Orders.Watch(OrdersClient.Start, id))
{
    Console.WriteLine($"{change.Version} {change.Type} {cursor}");
    if (change.Type == "order.paid")
    {
        break;
    }
}
