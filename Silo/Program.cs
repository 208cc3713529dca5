using Silo;
using Silo.Books;
using Silo.Cluster;
using Silo.Crawling;
using Silo.Grpc;
using Silo.Http;
using Silo.Keys;
using Silo.Logs;
using Silo.Middleware;
using Silo.Orders;
using Silo.Page;
using Silo.StartUp;
using Silo.Storage;
using Silo.Telemetry;

return await Launcher.Run(
    args,
    add: builder =>
    {
        builder.AddStorage(); // Storage/: which table and blob store
        builder.AddCluster(); // members, streams, ports
        builder.AddKeys(); // who may come in by HTTP
        builder.AddCrawling();
        builder.AddLogs();
        builder.AddLogReading();
        builder.AddOrders();
        builder.AddTelemetry();
        builder.AddLogDoors(); // OTLP, lines, syslog
        builder.AddGrpcDoor();
        builder.AddPage(); // what people see at /
        builder.AddHttp(); // Middleware/Chain.cs: what every request passes
    },
    map: app =>
    {
        app.UseChain();
        app.MapPage();
        app.MapHealth();
        app.MapDescription();
        app.MapCrawls();
        app.MapLogIntake();
        app.MapLogRules();
        app.MapLogQueries();
        app.MapOrders();
        app.MapOrderWatches();
        app.MapUnsubscribe();
        app.MapLedger();
        app.MapCluster();
        app.MapTelemetry();
        app.MapGrpc();
    }
);
