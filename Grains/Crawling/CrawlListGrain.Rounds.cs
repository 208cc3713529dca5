using Grains.Crawling.Rounds;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Grains.Crawling;

/// <summary>
/// Crawls that are made again and again: a row says when the next round of each is due, and the same commit that lists a round moves it.
/// </summary>
public sealed partial class CrawlListGrain
{
    private readonly Dictionary<CrawlId, (RoundsRow Row, string ETag)> _rounds = [];

    public async Task<bool> EndRounds(CrawlId first, CancellationToken cancel)
    {
        if (!_rounds.Remove(first))
        {
            return false;
        }

        var commit = await store.Commit(CrawlTable.Name, CrawlTable.Crawls, [RowChange.Delete(RoundSchedule.Key(first))], cancel);
        if (commit.Outcome != CommitOutcome.Committed)
        {
            throw Lost(commit);
        }

        LogRoundsEnded(first);
        return true;
    }

    private async Task RestoreRounds(CancellationToken cancel)
    {
        await foreach (
            var row in store.ScanAll(CrawlTable.Name, CrawlTable.Crawls, KeyRange.Prefix(CrawlTable.RoundsPrefix), cancel: cancel)
        )
        {
            var rounds = CrawlJson.Read<RoundsRow>(row.Payload);
            _rounds.Add(rounds.First, (rounds, row.ETag));
        }
    }

    /// <summary>The rounds whose time has come. What fails is tried again by the next wake-up, and the others go on.</summary>
    private async Task BeginDueRounds(CancellationToken cancel)
    {
        foreach (var (first, (rounds, _)) in _rounds.Where(rounds => rounds.Value.Row.DueAt <= clock.GetUtcNow()).ToList())
        {
            try
            {
                var last = await Crawl(rounds.Last).Show(cancel);
                switch (RoundSchedule.Decide(rounds, last?.State, clock.GetUtcNow()))
                {
                    case RoundStep.End:
                        await EndRounds(first, cancel);
                        break;
                    case RoundStep.Begin when _crawls.Count >= ICrawlListGrain.MaxCrawls:
                        LogNoRoomForRound(first, ICrawlListGrain.MaxCrawls);
                        break;
                    case RoundStep.Begin:
                        await BeginRound(first, cancel);
                        break;
                }
            }
            catch (Exception e) when (e is not (OperationCanceledException or PartitionLostException))
            {
                LogNotWoken(rounds.Last, e);
            }
        }
    }

    private async Task BeginRound(CrawlId first, CancellationToken cancel)
    {
        if (!_rounds.TryGetValue(first, out var rounds) || !_crawls.TryGetValue(rounds.Row.Last, out var last))
        {
            return; // Both were there a moment ago: somebody has ended it.
        }

        var spec = RoundSchedule.Next(rounds.Row, last.Spec, name => _crawls.Values.Any(listed => listed.Spec.Name == name));
        var next = NewCrawl(spec);
        var after = RoundSchedule.After(rounds.Row, next.Id, spec.Every!.Value, next.At);
        var commit = await store.Commit(
            CrawlTable.Name,
            CrawlTable.Crawls,
            [.. Rows(next), RowChange.Replace(RoundSchedule.Key(first), CrawlJson.Write(after), rounds.ETag)],
            cancel
        );
        if (commit.Outcome == CommitOutcome.Conflict && !_rounds.ContainsKey(first))
        {
            return; // It was ended meanwhile.
        }

        if (commit.Outcome != CommitOutcome.Committed)
        {
            throw Lost(commit);
        }

        if (_rounds.ContainsKey(first))
        {
            _rounds[first] = (after, commit.ETags[^1]!);
        }

        await BeginListed(next, cancel);
        if (spec.MoreSeeds)
        {
            await Crawl(next.Id).EndSeeds(cancel); // Those that followed then are among its URLs.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} is not made again any more")]
    private partial void LogRoundsEnded(CrawlId id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The next round of crawl {Id} waits: {Most} crawls are kept. Delete one")]
    private partial void LogNoRoomForRound(CrawlId id, int most);
}
