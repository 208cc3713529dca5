using Grains.Client;
using Grains.Interfaces.Books;
using Grains.Interfaces.Cluster;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Keys;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Orders;

namespace Client.Shell;

/// <summary>
/// The cluster as the console needs it. One connection; when a silo dies it may be of no more use, and another is opened.
/// </summary>
internal interface ICluster : IAsyncDisposable
{
    ICrawlListGrain Crawls { get; }

    ILedgerGrain Ledger { get; }

    IClusterStatusGrain Status { get; }

    IBackupGrain Backup { get; }

    IApiKeysGrain Keys { get; }

    ILogRulesGrain LogRules { get; }

    ILogSendGrain LogSend { get; }

    OrderDesk Orders { get; }

    ICrawlGrain Crawl(CrawlId id);

    /// <summary>For one question.</summary>
    ILogQueryGrain LogQuery();

    /// <summary>For one viewer.</summary>
    ILogTailGrain LogTail();

    ILogBatchGrain LogShard(int shard);
}

/// <summary>Opens a connection; <see cref="ConsoleException"/> with <see cref="ExitCode.NoSilo"/> when no silo is reached.</summary>
internal delegate Task<ICluster> OpenCluster(ClusterAddress address, CancellationToken cancel);
