using Grains.Client;
using Grains.Interfaces.Crawling;
using Orleans.Runtime.Messaging;

namespace Client.Shell;

/// <summary>One run of one verb: where it writes, and the cluster, opened when it is first needed.</summary>
internal sealed class Session(Terminal terminal, bool json, ClusterAddress address, OpenCluster open, FollowPace pace) : IAsyncDisposable
{
    private readonly SemaphoreSlim _opening = new(1, 1);
    private ICluster? _cluster;

    public Terminal Terminal => terminal;

    public bool Json => json;

    public ClusterAddress Address => address;

    public FollowPace Pace => pace;

    /// <summary>The same, at another cluster.</summary>
    public Session At(ClusterAddress other) => new(terminal, json, other, open, pace);

    public async Task<ICluster> Cluster(CancellationToken cancel) => _cluster ??= await open(address, cancel);

    /// <summary>Another connection, after the silo at the other end is gone.</summary>
    public async Task<ICluster> Reopen(CancellationToken cancel)
    {
        await DisposeAsync();
        return await Cluster(cancel);
    }

    /// <summary>Another connection, unless somebody else has opened one since <paramref name="lost"/> was found to be lost.</summary>
    public async Task<ICluster> ReopenUnless(ICluster lost, CancellationToken cancel)
    {
        await _opening.WaitAsync(cancel);
        try
        {
            return _cluster is { } other && other != lost ? other : await Reopen(cancel);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>
    /// Asks what may be asked twice: when a silo goes away before it answers, another is asked, for <see cref="FollowPace.Repeat"/>.
    /// </summary>
    public async Task<T> Ask<T>(Func<ICluster, Task<T>> ask, CancellationToken cancel)
    {
        long? since = null;
        while (true)
        {
            try
            {
                return await ask(since is null ? await Cluster(cancel) : await Reopen(cancel));
            }
            catch (Exception gone) when (MayAskAgain(gone, since))
            {
                since ??= terminal.Clock.GetTimestamp();
            }

            await Task.Delay(pace.Retry, terminal.Clock, cancel);
        }
    }

    /// <param name="since">When a silo was first found to be gone; null: none was so far.</param>
    public bool MayAskAgain(Exception gone, long? since) =>
        (IsGone(gone) || gone is TimeoutException || (since is not null && gone is ConsoleException { Code: ExitCode.NoSilo }))
        && pace.Repeat > (since is { } lost ? terminal.Clock.GetElapsedTime(lost) : TimeSpan.Zero);

    public static bool IsGone(Exception failure) =>
        failure is SiloUnavailableException or OrleansMessageRejectionException or ConnectionFailedException;

    /// <exception cref="ConsoleException">There is no such crawl.</exception>
    public async Task<CrawlId> Find(string idOrName, CancellationToken cancel) =>
        await (await Cluster(cancel)).Crawls.Find(idOrName, cancel)
        ?? throw new ConsoleException($"There is no crawl \"{Terminal.Clean(idOrName)}\"; \"crawl list\" shows those that are kept.");

    /// <exception cref="ConsoleException">It was deleted meanwhile.</exception>
    public async Task<CrawlSummary> Show(CrawlId id, CancellationToken cancel) =>
        await (await Cluster(cancel)).Crawl(id).Show(cancel) ?? throw Gone(id);

    public static ConsoleException Gone(CrawlId id) => new($"The crawl {id} is not kept any more: it was deleted.");

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _cluster, null) is { } cluster)
        {
            await cluster.DisposeAsync();
        }
    }
}
