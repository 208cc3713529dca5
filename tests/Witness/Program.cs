using Silo;
using Silo.Books;
using Silo.Cluster;
using Silo.Http;
using Silo.Keys;
using Silo.Middleware;
using Silo.Orders;
using Silo.StartUp;
using Silo.Storage;
using Silo.Telemetry;
using Witness;

// A silo with orders alone, and two subscribers more, unless WITNESS_SUBSCRIBES is false: what subscribers are given is written down
// outside of its store.
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
        builder.Services.AddWitnesses(
            Environment.GetEnvironmentVariable("WITNESS_FOLDER"),
            subscribes: Environment.GetEnvironmentVariable("WITNESS_SUBSCRIBES") != "false"
        );
    },
    map: app =>
    {
        app.UseChain();
        app.MapHealth();
        app.MapOrders();
        app.MapLedger();
        app.MapCluster();
        app.MapTelemetry();
    }
);
