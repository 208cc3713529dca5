using System.CommandLine;
using Benchmarks;
using Benchmarks.Crawling;
using Benchmarks.Logs;
using Benchmarks.Orders;

var root = new RootCommand("Measures what the project promises to be fast, each beside a baseline of the same run.")
{
    AllBenchmarks.Command(),
    CrawlBenchmark.Command(),
    CrawlBenchmark.ScanCommand(),
    FrontierBenchmark.Command(),
    PolitenessBenchmark.Command(),
    ScaleBenchmark.Command(),
    LinkExtraction.Command(),
    OrdersBenchmark.Command(),
    WatchBenchmark.Command(),
    NotifyBenchmark.Command(),
    ClusterBenchmark.Command(),
    StoreBenchmark.Command(),
    StorageBenchmark.Command(),
    CallsBenchmark.Command(),
    StartBenchmark.Command(),
    IdleBenchmark.Command(),
    IdleBenchmark.BareCommand(),
    DeathBenchmark.Command(),
    LogQueriesBenchmark.Command(),
    LogsBenchmark.Command(),
    DropServer.Command(),
};
return await root.Parse(args).InvokeAsync();
