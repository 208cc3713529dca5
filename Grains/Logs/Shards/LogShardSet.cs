using Grains.Interfaces.Logs;

namespace Grains.Logs.Shards;

/// <summary>The shards of the log, as callers reach them.</summary>
/// <param name="count">How many there are, numbered from 0.</param>
/// <param name="shard">The grain of one shard. It is asked for with each use: the cluster may not be reached yet when this is made.</param>
public sealed class LogShardSet(int count, Func<int, ILogBatchGrain> shard)
{
    public IEnumerable<ILogBatchGrain> All => Enumerable.Range(0, count).Select(shard);

    /// <summary>The shard that takes this request, whenever it comes.</summary>
    public ILogBatchGrain Of(LogRequestId request) => shard(request.Shard(count));
}
