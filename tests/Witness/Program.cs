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

// A silo with orders alone, and two subscribers more: they write down outside of its store what they were given.
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
        builder.Services.AddWitnesses(Environment.GetEnvironmentVariable("WITNESS_FOLDER"));
    },
    map: app =>
    {
        app.UseChain();
        app.MapHealth();
        app.MapOrders();
        app.MapLedger();
        app.MapCluster();
        app.MapTelemetry();
    });
