using Silo.Books;
using Silo.Cluster;
using Silo.Crawling;
using Silo.Grpc;
using Silo.Http;
using Silo.Keys;
using Silo.Launch;
using Silo.Logs;
using Silo.Orders;
using Silo.Storage.Hosting;
using Silo.Telemetry;

// A silo whose grains listen to the streams of the cluster: Orleans finds them in this assembly (Listeners.cs).
return await Launcher.Run(
    args,
    new(
        new StorageModule(),
        new ClusterModule(),
        new KeysModule(),
        new HttpModule(),
        new GrpcModule(),
        new TelemetryModule(),
        new CrawlingModule(),
        new LogsModule(),
        new OrdersModule(),
        new BooksModule()
    )
);
