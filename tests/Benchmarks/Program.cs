using System.CommandLine;
using Benchmarks;
using Benchmarks.Crawling;
using Benchmarks.Logs;

var root = new RootCommand("Measures what the project promises to be fast, each beside a baseline of the same run.")
{
    CrawlBenchmark.Command(),
    CrawlBenchmark.ScanCommand(),
    LinkExtraction.Command(),
    StoreBenchmark.Command(),
    StorageBenchmark.Command(),
    CallsBenchmark.Command(),
    LogQueriesBenchmark.Command(),
    LogsBenchmark.Command(),
    DropServer.Command(),
};
return await root.Parse(args).InvokeAsync();
