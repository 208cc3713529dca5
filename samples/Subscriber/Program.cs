using Silo;
using Silo.Cluster;
using Silo.Http;
using Silo.Keys;
using Silo.Middleware;
using Silo.Orders;
using Silo.StartUp;
using Silo.Storage;
using Silo.Telemetry;
using Subscriber;

// A silo with a subscriber of its own: it is given every change of an order at least once, has a cursor in each partition, and its dead
// letters and its lag show in "orders subscribers list" and "orders dead-letters list" as those of mail and webhooks do.
var folder = Directory.CreateDirectory(Environment.GetEnvironmentVariable("ORDER_FILES") ?? "orders").FullName;
return await Launcher.Run(
    args,
    add: builder =>
    {
        builder.AddStorage();
        builder.AddCluster();
        builder.AddKeys();
        builder.AddOrders();
        builder.AddTelemetry();
        builder.AddHttp();
        builder.Services.AddOrderSubscriber(new() { Name = "files", FromStart = true }, (_, partition) =>
            new OrderFile(Path.Combine(folder, $"{partition:00}.txt"))
        );
    },
    map: app =>
    {
        app.UseChain();
        app.MapHealth();
        app.MapOrders();
        app.MapCluster();
    }
);
