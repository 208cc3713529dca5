using Silo.Books;
using Silo.Cluster;
using Silo.Crawling;
using Silo.Grpc;
using Silo.Http;
using Silo.Keys;
using Silo.Launch;
using Silo.Logs;
using Silo.Orders;
using Silo.Page;
using Silo.Storage.Hosting;
using Silo.Telemetry;

namespace Silo;

/// <summary>What this program consists of. Each part is defined in the folder of its name.</summary>
internal static class Program
{
    public static SiloModules Modules { get; } =
        new(
            new StorageModule(), // which table and blob store
            new ClusterModule(), // members, streams
            new KeysModule(), // who may call
            new HttpModule(), // Middleware/Chain.cs: what every request passes
            new GrpcModule(),
            new TelemetryModule(),
            new PageModule(), // what people see at /
            new CrawlingModule(),
            new LogsModule(),
            new OrdersModule(),
            new BooksModule()
        );

    public static Task<int> Main(string[] args) => Launcher.Run(args, Modules);
}
