using System.CommandLine;
using Benchmarks;

var root = new RootCommand("Measures what the project promises to be fast, each beside a baseline of the same run.")
{
    StoreBenchmark.Command(),
};
return await root.Parse(args).InvokeAsync();
