using System.Text.Json.Nodes;
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

    /// <summary>Somebody is there to answer a question.</summary>
    public bool CanAsk => terminal.OutputIsTerminal && !json;

    /// <summary>Only results are wanted: ids, counts, data.</summary>
    public bool Quiet => terminal.IsQuiet;

    /// <summary>A person looks at the error output, and wants to see how far it is.</summary>
    public bool ShowsProgress => terminal.ErrorIsTerminal && !json && !Quiet;

    public ClusterAddress Address => address;

    public FollowPace Pace => pace;

    /// <summary>The same, at another cluster.</summary>
    public Session At(ClusterAddress other) => new(terminal, json, other, open, pace);

    public async Task<ICluster> Cluster(CancellationToken cancel) => _cluster ??= await open(address, cancel);

    /// <summary>Says what was done: an object for programs, a sentence for people, the result alone where it is to be quiet.</summary>
    /// <param name="form">With the names of the API.</param>
    /// <param name="sentence">Of any origin; what could steer a terminal is replaced.</param>
    /// <param name="result">An id or a number; null: there is none.</param>
    public void Tell<T>(T form, string sentence, string? result = null)
    {
        if (json)
        {
            terminal.Json(form);
        }
        else if ((Quiet ? result : sentence) is { } line)
        {
            terminal.Line(line);
        }
    }

    /// <summary>Says to people that there is nothing, and what to do about it.</summary>
    public void TellNothing(string sentence)
    {
        if (!json && !Quiet)
        {
            terminal.Line(sentence);
        }
    }

    /// <summary>Ends a list: with a last object for programs, and a sentence for people where something was cut off.</summary>
    /// <param name="end">How it ended.</param>
    /// <param name="things">What is listed, in the plural.</param>
    public void End(ListEnd end, string things)
    {
        if (json)
        {
            terminal.Json(new { end });
        }
        else if (end.More)
        {
            terminal.Warn(end.Sentence(things));
        }
    }

    /// <summary>A JSON document that was made elsewhere: as it is for people and files, on one line for programs.</summary>
    public void Document(string document)
    {
        terminal.Document(Json ? JsonNode.Parse(document)!.ToJsonString(JsonForm.Options) : document.TrimEnd());
    }

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

    /// <summary>The crawl of this id or name, or the one whose id begins so: for that, all crawls that are kept are asked.</summary>
    /// <exception cref="ConsoleException">There is no such crawl, or several begin so.</exception>
    public async Task<CrawlId> Find(string idOrName, CancellationToken cancel)
    {
        var crawls = (await Cluster(cancel)).Crawls;
        if (await crawls.Find(idOrName, cancel) is { } known)
        {
            return known;
        }

        var beginning =
            idOrName.Length < CrawlId.Length && idOrName.Length > 0
                ? (await crawls.List(cancel)).Select(crawl => crawl.Id.Value).Where(id => id.StartsWith(idOrName, StringComparison.Ordinal))
                : [];
        return IdPrefix.One(idOrName, "crawls", beginning) is { } one
            ? CrawlId.Parse(one)
            : throw new ConsoleException($"There is no crawl \"{Terminal.Clean(idOrName)}\"; \"crawl list\" shows those that are kept.");
    }

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
