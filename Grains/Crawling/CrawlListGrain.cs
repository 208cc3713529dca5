using System.Collections.Immutable;
using System.Security.Cryptography;
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
/// <see cref="Wake"/>.
/// </summary>
[GrainType("crawllist")]
public sealed partial class CrawlListGrain(
    ITableStore store,
    IOptions<CrawlingOptions> options,
    TimeProvider clock,
    ILogger<CrawlListGrain> logger
) : Grain, ICrawlListGrain
{
    private const string ItemPrefix = "i.";
    private const string NamePrefix = "n.";

    /// <summary>
    /// Crawls at their end are asked too, but rarely: one of them may have been told to delete itself, and then lost its silo.
    /// </summary>
    private static readonly TimeSpan AskAllEvery = TimeSpan.FromMinutes(5);

    private readonly Dictionary<CrawlId, ListedCrawl> _crawls = [];
    private readonly HashSet<CrawlId> _ended = [];
    private long _askedAll;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _askedAll = clock.GetTimestamp();
        var range = KeyRange.Prefix(ItemPrefix);
        IReadOnlyList<TableRow> rows;
        do
        {
            rows = await store.Scan(CrawlTable.Name, CrawlTable.Crawls, range, StoreLimits.MaxScan, cancellationToken);
            foreach (var listed in rows.Select(row => CrawlJson.Read<ListedCrawl>(row.Payload)))
            {
                _crawls.Add(listed.Id, listed);
            }

            range = rows.Count == 0 ? range : range.After(rows[^1].Key);
        } while (rows.Count == StoreLimits.MaxScan);

        await RestoreRounds(cancellationToken);
    }

    public async Task<StartReply> Start(CrawlSpec spec, CancellationToken cancel)
    {
        var errors = CrawlSpecCheck.Check(spec, options.Value.OfSpecs, out var canonical);
        if (_crawls.Count >= ICrawlListGrain.MaxCrawls)
        {
            errors = errors.Add($"{ICrawlListGrain.MaxCrawls} crawls are kept already. Delete one first.");
        }

        if (spec.Revisit is { } earlier && !_crawls.ContainsKey(earlier))
        {
            errors = errors.Add($"There is no crawl {earlier} to revisit.");
        }

        if (!errors.IsEmpty)
        {
            return new(null, errors);
        }

        var listed = NewCrawl(canonical!);
        var rounds = spec.Every is { } every ? RoundSchedule.Begin(listed.Id, every, listed.At) : null;
        var commit = await store.Commit(
            CrawlTable.Name,
            CrawlTable.Crawls,
            [
                .. Rows(listed),
                .. rounds is null ? [] : (RowChange[])[RowChange.Insert(RoundSchedule.Key(rounds.First), CrawlJson.Write(rounds))],
            ],
            cancel
        );
        if (commit.Outcome == CommitOutcome.Conflict)
        {
            return new(null, [$"There is a crawl named \"{spec.Name}\" already. Choose another name, or delete that one first."]);
        }

        if (commit.Outcome == CommitOutcome.Unknown)
        {
            throw Lost(commit);
        }

        if (rounds is not null)
        {
            _rounds.Add(rounds.First, (rounds, commit.ETags[^1]!));
        }

        await BeginListed(listed, cancel);
        return new(listed.Id, []);
    }

    private ListedCrawl NewCrawl(CrawlSpec spec) =>
        new(new(RandomNumberGenerator.GetString("0123456789abcdefghjkmnpqrstvwxyz", CrawlId.Length)), spec, clock.GetUtcNow());

    private static IEnumerable<RowChange> Rows(ListedCrawl listed)
    {
        yield return RowChange.Insert(ItemPrefix + listed.Id, CrawlJson.Write(listed));
        if (listed.Spec.Name is { } name)
        {
            yield return RowChange.Insert(NamePrefix + StoreLimits.HashKey(name), CrawlJson.Write(listed));
        }
    }

    /// <summary>Its rows are stored: from here on it is begun, now or by the next wake-up.</summary>
    private async Task BeginListed(ListedCrawl listed, CancellationToken cancel)
    {
        _crawls.Add(listed.Id, listed);
        LogStarted(listed.Id, listed.Spec.Name, listed.Spec.Seeds.Length);
        try
        {
            await Crawl(listed.Id).Begin(listed.Spec, listed.At, cancel);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotWoken(listed.Id, e); // It is listed: the next wake-up begins it.
        }
    }

    /// <summary>The activation ends, and the next one starts from what is stored.</summary>
    private PartitionLostException Lost(CommitResult commit)
    {
        DeactivateOnIdle();
        return new(CrawlTable.Name, CrawlTable.Crawls, commit);
    }

    public Task<CrawlId?> Find(string idOrName, CancellationToken cancel)
    {
        var found = _crawls.Values.FirstOrDefault(listed => listed.Id.Value == idOrName)
            ?? _crawls.Values.FirstOrDefault(listed => listed.Spec.Name == idOrName);
        return Task.FromResult(found?.Id);
    }

    public async Task<ImmutableArray<CrawlSummary>> List(CancellationToken cancel)
    {
        var summaries = await Task.WhenAll(
            _crawls.Values.OrderByDescending(listed => listed.At).Select(listed => Crawl(listed.Id).Show(cancel))
        );
        return [.. summaries.OfType<CrawlSummary>()];
    }

    public async Task Wake(CancellationToken cancel)
    {
        if (clock.GetElapsedTime(_askedAll) >= AskAllEvery)
        {
            _askedAll = clock.GetTimestamp();
            _ended.Clear();
        }

        foreach (var listed in _crawls.Values.Where(listed => !_ended.Contains(listed.Id)).ToList())
        {
            try
            {
                if (!await Crawl(listed.Id).Begin(listed.Spec, listed.At, cancel))
                {
                    _ended.Add(listed.Id);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogNotWoken(listed.Id, e); // The next wake-up tries again, and the others go on.
            }
        }

        await BeginDueRounds(cancel);
    }

    public async Task Forget(CrawlId id, CancellationToken cancel)
    {
        if (!_crawls.TryGetValue(id, out var listed))
        {
            return;
        }

        var changes = new List<RowChange> { RowChange.Delete(ItemPrefix + id) };
        if (listed.Spec.Name is { } name)
        {
            changes.Add(RowChange.Delete(NamePrefix + StoreLimits.HashKey(name)));
        }

        var commit = await store.Commit(CrawlTable.Name, CrawlTable.Crawls, changes, cancel);
        if (commit.Outcome != CommitOutcome.Committed)
        {
            throw Lost(commit);
        }

        _crawls.Remove(id);
        LogForgotten(id);
    }

    public Task Reopened(CrawlId id, CancellationToken cancel)
    {
        _ended.Remove(id);
        return Task.CompletedTask;
    }

    private ICrawlGrain Crawl(CrawlId id) => GrainFactory.GetGrain<ICrawlGrain>(id.Value);

    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} ({Name}) is listed with {Seeds} seed(s)")]
    private partial void LogStarted(CrawlId id, string? name, int seeds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Crawl {Id} is deleted")]
    private partial void LogForgotten(CrawlId id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Crawl {Id} could not be woken and will be tried again")]
    private partial void LogNotWoken(CrawlId id, Exception exception);
}
