using Silo.Books;
using Silo.Cluster;
using Silo.Grpc;
using Silo.Http;
using Silo.Keys;
using Silo.Launch;
using Silo.Orders;
using Silo.Storage.Hosting;
using Silo.Telemetry;
using Witness;

// A silo with orders alone, and two subscribers more, unless WITNESS_SUBSCRIBES is false: what subscribers are given is written down
// outside of its store.
return await Launcher.Run(
    args,
    new(
        new StorageModule(),
        new ClusterModule(),
        new KeysModule(),
        new HttpModule(),
        new GrpcModule(),
        new TelemetryModule(),
        new OrdersModule(),
        new BooksModule(),
        new WitnessModule()
    )
);
