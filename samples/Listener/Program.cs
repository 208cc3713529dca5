using Silo;
using Silo.Crawling;
using Silo.Http;
using Silo.Keys;
using Silo.Middleware;
using Silo.Orders;
using Silo.StartUp;
using Silo.Storage;
using Silo.Telemetry;

// A silo whose grains listen to the streams of the cluster: Orleans finds them in this assembly (Listeners.cs).
return await Launcher.Run(
    args,
    add: builder =>
    {
        builder.AddStorage();
        builder.AddCluster();
        builder.AddKeys();
        builder.AddCrawling();
        builder.AddOrders();
        builder.AddTelemetry();
        builder.AddHttp();
    },
    map: app =>
    {
        app.UseChain();
        app.MapHealth();
        app.MapCrawls();
        app.MapOrders();
    }
);
