using Grains.Interfaces.Logs;
using Grains.Logs;
using Microsoft.Extensions.Options;
using Silo.Cluster;

namespace Silo.Logs;

/// <summary>Wakes the log's shards, which merge, fold and remove what is due.</summary>
internal sealed class LogShards(IGrainFactory grains, IOptions<LogsOptions> options) : IWakeUp
{
    public string Name => "logs";

    public Task Wake(CancellationToken cancel) =>
        Task.WhenAll(Enumerable.Range(0, options.Value.Shards).Select(shard => grains.GetGrain<ILogBatchGrain>(shard).Tend(cancel)));
}
