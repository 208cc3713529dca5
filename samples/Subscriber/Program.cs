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
using Subscriber;

// A silo with a subscriber of its own: it is given every change of an order at least once, has a cursor in each partition, and its dead
// letters and its lag show in "orders subscribers list" and "orders dead-letters list" as those of mail and webhooks do.
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
        new BooksModule(),
        new FilesModule()
    )
);
