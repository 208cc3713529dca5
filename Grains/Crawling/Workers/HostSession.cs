using Grains.Crawling.Fetching;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// One host of one crawl, as a worker deals with it: what it has in flight from there, what is to be reported, and whether asking for more
/// is worth it.
/// </summary>
internal sealed class HostSession(HostKey host, CrawlId crawl)
{
    private readonly Dictionary<long, (Task Running, CancellationTokenSource GivenUp)> _fetches = [];

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
    /// <param name="lease">Its number, which no other fetch of the crawl has.</param>
    public async Task Fetching(long lease, Func<CancellationToken, Task> fetch)
    {
        using var givenUp = new CancellationTokenSource();
        var running = fetch(givenUp.Token);
        _fetches[lease] = (running, givenUp);
        try
        {
            await running;
        }
        finally
        {
            _fetches.Remove(lease);
        }
    }

    /// <summary>Completes when none of the fetches that are running now under a lease below this number goes on.</summary>
    public async Task GiveUp(long below)
    {
        var old = _fetches.Where(fetch => fetch.Key < below).Select(fetch => fetch.Value).ToList();
        var running = Task.WhenAll(old.Select(fetch => fetch.Running));
        await Task.WhenAll(old.Select(fetch => fetch.GivenUp.CancelAsync()));
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    public bool IsIdle => InFlight == 0 && Reports == 0 && Outcomes.Count == 0;
}
