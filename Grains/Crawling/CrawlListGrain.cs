using System.Collections.Immutable;
using Grains.Crawling.Rounds;
using Grains.Crawling.Rows;
using Grains.Crawling.Specs;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grains.Crawling;

/// <summary>
/// The crawls that are kept. A crawl is listed, with what was asked, before it begins; so one that did not come to begin is begun by
/// <see cref="Wake"/>, which begins the rounds that are due too.
/// </summary>
[GrainType("crawllist")]
public sealed partial class CrawlListGrain(
    ITableStore store,
    IOptions<CrawlingOptions> options,
    TimeProvider clock,
    ILogger<CrawlListGrain> logger
) : Grain, ICrawlListGrain
{
    private CrawlCatalog _catalog = null!;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _catalog = new(store, clock, DeactivateOnIdle);
        return _catalog.Restore(cancellationToken);
    }

    public async Task<StartReply> Start(CrawlSpec spec, CancellationToken cancel)
    {
        var errors = CrawlSpecCheck.Check(spec, options.Value.OfSpecs, out var canonical).AddRange(_catalog.WhyNot(spec));
        if (!errors.IsEmpty)
        {
            return new(null, errors);
        }

        if (await _catalog.Add(canonical!, cancel) is not { } listed)
        {
            return new(null, [$"There is a crawl named \"{spec.Name}\" already. Choose another name, or delete that one first."]);
        }

        await BeginListed(listed, cancel);
        return new(listed.Id, []);
    }

    public Task<CrawlId?> Find(string idOrName, CancellationToken cancel) => Task.FromResult(_catalog.Find(idOrName));

    public async Task<ImmutableArray<CrawlSummary>> List(CancellationToken cancel)
    {
        var summaries = await Task.WhenAll(
            _catalog.Crawls.OrderByDescending(listed => listed.At).Select(listed => Crawl(listed.Id).Show(cancel))
        );
        return [.. summaries.OfType<CrawlSummary>()];
    }

    public async Task Wake(CancellationToken cancel)
    {
        foreach (var listed in _catalog.ToWake())
        {
            await Try(listed.Id, () => WakeListed(listed, cancel));
        }

        foreach (var rounds in _catalog.DueRounds)
        {
            await Try(rounds.Last, () => Decide(rounds, cancel));
        }
    }

    public async Task Forget(CrawlId id, CancellationToken cancel)
    {
        if (await _catalog.Remove(id, cancel))
        {
            LogForgotten(id);
        }
    }

    public async Task<bool> EndRounds(CrawlId first, CancellationToken cancel)
    {
        var hadRounds = await _catalog.EndRounds(first, cancel);
        if (hadRounds)
        {
            LogRoundsEnded(first);
        }

        return hadRounds;
    }

    public Task Reopened(CrawlId id, CancellationToken cancel)
    {
        _catalog.OnReopened(id);
        return Task.CompletedTask;
    }

    private ICrawlGrain Crawl(CrawlId id) => GrainFactory.GetGrain<ICrawlGrain>(id.Value);

    /// <summary>What fails is tried again by the next wake-up, and the others go on.</summary>
    private async Task Try(CrawlId id, Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception e) when (e is not OperationCanceledException && !_catalog.IsLost)
        {
            LogNotWoken(id, e);
        }
    }

    /// <summary>Its rows are stored: from here on it is begun, now or by the next wake-up.</summary>
    private Task BeginListed(ListedCrawl listed, CancellationToken cancel)
    {
        LogStarted(listed.Id, listed.Spec.Name, listed.Spec.Seeds.Length);
        return Try(listed.Id, () => Crawl(listed.Id).Begin(listed.Spec, listed.At, cancel));
    }

    private async Task WakeListed(ListedCrawl listed, CancellationToken cancel)
    {
        if (!await Crawl(listed.Id).Begin(listed.Spec, listed.At, cancel))
        {
            _catalog.OnEnded(listed.Id);
        }
    }

    private async Task Decide(RoundsRow rounds, CancellationToken cancel)
    {
        var last = await Crawl(rounds.Last).Show(cancel);
        switch (RoundSchedule.Decide(rounds, last?.State, clock.GetUtcNow()))
        {
            case RoundStep.End:
                await EndRounds(rounds.First, cancel);
                break;
            case RoundStep.Begin when _catalog.IsFull:
                LogNoRoomForRound(rounds.First, ICrawlListGrain.MaxCrawls);
                break;
            case RoundStep.Begin when await _catalog.AddRound(rounds.First, cancel) is { } next:
                await BeginListed(next, cancel);
                foreach (var old in _catalog.RoundsBefore(rounds.First, options.Value.RoundsKept))
                {
                    await Try(old, () => Crawl(old).Delete(cancel));
                }

                break;
        }
    }
}
