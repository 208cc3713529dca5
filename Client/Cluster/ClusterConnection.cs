using Grains.Client;
using Grains.Interfaces.Books;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Orders;
using Grains.Interfaces.Values;

namespace Client.Cluster;

/// <summary>The real cluster. It says nothing by itself: what is worth saying, the verbs say.</summary>
internal sealed class ClusterConnection(ClusterClient client) : ICluster
{
    public ICrawlListGrain Crawls => client.Grains.GetGrain<ICrawlListGrain>(0);

    public ILedgerGrain Ledger => client.Grains.GetGrain<ILedgerGrain>(0);

    public IClusterStatusGrain Status => client.Grains.GetGrain<IClusterStatusGrain>(0);

    public IBackupGrain Backup => client.Grains.GetGrain<IBackupGrain>(0);

    public ILogSendGrain LogSend => client.Grains.GetGrain<ILogSendGrain>(0);

    public ILogRulesGrain LogRules => client.Grains.GetGrain<ILogRulesGrain>(0);

    public IApiKeysGrain Keys => client.Grains.GetGrain<IApiKeysGrain>(0);

    public OrderDesk Orders { get; } = new(client.Grains);

    public ICrawlGrain Crawl(CrawlId id) => client.Grains.GetGrain<ICrawlGrain>(id.ToString());

    public ILogQueryGrain LogQuery() => client.Grains.GetGrain<ILogQueryGrain>(Guid.NewGuid());

    public ILogTailGrain LogTail() => client.Grains.GetGrain<ILogTailGrain>(Guid.NewGuid());

    public ILogBatchGrain LogShard(int shard) => client.Grains.GetGrain<ILogBatchGrain>(shard);

    public static async Task<ICluster> Open(ClusterAddress address, CancellationToken cancel)
    {
        try
        {
            return new ClusterConnection(await ClusterClient.Connect(address, cancel));
        }
        catch (NoSiloException none)
        {
            throw new ConsoleException(WhyNot(address, none), ExitCode.NoSilo, none);
        }
    }

    /// <summary>Nobody listens, or somebody does and does not answer as a silo of the cluster: what to do differs.</summary>
    private static string WhyNot(ClusterAddress address, NoSiloException none) =>
        none.Listening.IsEmpty
            ? $"No silo of cluster \"{address.ClusterId}\" was reached at {address}. Start one with: dotnet run -c Release "
                + $"--project Silo"
            : $"Something listens at {string.Join(", ", none.Listening)}, and did not answer as a silo "
                + $"of cluster \"{address.ClusterId}\" within {Durations.Format(address.ConnectTimeout)}. It is busy or starting: allow "
                + $"more with --connect-timeout 1m. Or it is another cluster's (--cluster ID), or no silo's gateway at all.";

    public ValueTask DisposeAsync() => client.DisposeAsync();
}
