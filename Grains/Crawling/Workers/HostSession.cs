using Grains.Crawling.Fetching;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// One host of one crawl, as a worker deals with it: what it has in flight from there, what is to be reported, and whether asking for more
/// is worth it.
/// </summary>
internal sealed class HostSession(HostKey host, CrawlId crawl)
{
    private readonly Dictionary<Task, CancellationTokenSource> _fetches = [];

    public HostKey Host => host;

    public CrawlId Crawl => crawl;

    /// <summary>Fetches that the crawl may have in flight in all.</summary>
    public int Parallel { get; set; }

    public int InFlight { get; set; }

    /// <summary>How many reports are under way.</summary>
    public int Reports { get; set; }

    /// <summary>The last answer was as much as was asked for, or something has ended since: asking is worth it.</summary>
    public bool MayHaveMore { get; set; }

    /// <summary>Finished, and not yet reported.</summary>
    public List<Visit> Outcomes { get; set; } = [];

    /// <summary>Runs a fetch until it ends, or until it is given up: its token says so.</summary>
    public async Task Fetching(Func<CancellationToken, Task> fetch)
    {
        using var givenUp = new CancellationTokenSource();
        var running = fetch(givenUp.Token);
        _fetches.Add(running, givenUp);
        try
        {
            await running;
        }
        finally
        {
            _fetches.Remove(running);
        }
    }

    /// <summary>Completes when none of the fetches that are running now goes on.</summary>
    public async Task GiveUp()
    {
        var running = Task.WhenAll(_fetches.Keys);
        await Task.WhenAll(_fetches.Values.Select(givenUp => givenUp.CancelAsync()));
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    public bool IsIdle => InFlight == 0 && Reports == 0 && Outcomes.Count == 0;
}
