using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Rounds;

/// <summary>What is done about the next round of a crawl.</summary>
public enum RoundStep
{
    /// <summary>Its time has not come, or the round before has not ended.</summary>
    Wait,

    /// <summary>It begins.</summary>
    Begin,

    /// <summary>There is none: the round before was cancelled or deleted.</summary>
    End,
}

/// <summary>
/// When the rounds of a crawl begin, and as what (<see cref="CrawlSpec.Every"/>): not before their time, and one after the other. A time
/// that has passed, because the round before took longer or no silo ran, is made up for once.
/// </summary>
public static class RoundSchedule
{
    private const int MaxName = 60;

    public static string Key(CrawlId first) => CrawlTable.RoundsPrefix + first;

    /// <summary>The crawl has begun as the first of its rounds.</summary>
    public static RoundsRow Begin(CrawlId first, TimeSpan every, DateTimeOffset now) => new(first, first, Number: 1, now + every);

    /// <param name="last">The state of the round that began last; null: it is not kept any more.</param>
    public static RoundStep Decide(RoundsRow rounds, CrawlState? last, DateTimeOffset now) =>
        last switch
        {
            null or CrawlState.Cancelled or CrawlState.Deleting => RoundStep.End,
            CrawlState.Done when rounds.DueAt <= now => RoundStep.Begin,
            _ => RoundStep.Wait,
        };

    /// <summary>What the next round is asked: what the last one was, as a visit to the same pages.</summary>
    /// <param name="isTaken">Whether a crawl has that name; then the round has none.</param>
    public static CrawlSpec Next(RoundsRow rounds, CrawlSpec last, Func<string, bool> isTaken)
    {
        var name = NextName(rounds, last.Name);
        return last with
        {
            Revisit = rounds.Last,
            RoundOf = rounds.First,
            Name = name is null || name.Length > MaxName || isTaken(name) ? null : name,
        };
    }

    /// <summary>The next round has begun as <paramref name="next"/>.</summary>
    public static RoundsRow After(RoundsRow rounds, CrawlId next, TimeSpan every, DateTimeOffset now)
    {
        var due = rounds.DueAt + every;
        return rounds with { Last = next, Number = rounds.Number + 1, DueAt = due > now ? due : now + every };
    }

    /// <summary>What is to be told of the rounds of a crawl; null: no further one begins.</summary>
    public static async Task<CrawlRounds?> Read(ITableStore store, CrawlId crawl, CrawlSpec spec, CancellationToken cancel)
    {
        var key = Key(spec.RoundOf ?? crawl);
        var row = spec.Every is null ? null : await store.Get(CrawlTable.Name, CrawlTable.Crawls, key, cancel);
        return row is not null && CrawlJson.Read<RoundsRow>(row.Payload) is var rounds
            ? new(rounds.Last, rounds.Number, rounds.DueAt)
            : null;
    }

    /// <summary><c>docs</c>, <c>docs-2</c>, <c>docs-3</c>.</summary>
    private static string? NextName(RoundsRow rounds, string? last)
    {
        var number = FormattableString.Invariant($"-{rounds.Number}");
        var first = rounds.Number > 1 && last?.EndsWith(number, StringComparison.Ordinal) == true ? last[..^number.Length] : last;
        return first is null ? null : FormattableString.Invariant($"{first}-{rounds.Number + 1}");
    }
}
