using System.Security.Cryptography;
using Grains.Crawling.Rows;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Rounds;

/// <summary>
/// The crawls that are kept, and of those that are made again and again when the next round is due: the partition of the list of crawls.
/// A crawl, its name and its rounds change in one commit.
/// </summary>
/// <remarks>
/// What writes throws <see cref="PartitionLostException"/> when it was not committed, as far as is known. Not thread-safe: it belongs to a
/// grain and runs on its scheduler.
/// </remarks>
/// <param name="over">Called before that exception is thrown: the activation has to end, and the next one reads what is stored.</param>
internal sealed class CrawlCatalog(ITableStore store, TimeProvider clock, Action over)
{
    private const string ItemPrefix = "i.";
    private const string NamePrefix = "n.";

    /// <summary>
    /// Crawls at their end are woken too, but rarely: one of them may have been told to delete itself, and then lost its silo.
    /// </summary>
    private static readonly TimeSpan WakeAllEvery = TimeSpan.FromMinutes(5);

    private readonly Dictionary<CrawlId, ListedCrawl> _crawls = [];
    private readonly Dictionary<CrawlId, (RoundsRow Row, string ETag)> _rounds = [];
    private readonly HashSet<CrawlId> _ended = [];
    private long _wokeAll = clock.GetTimestamp();

    public IReadOnlyCollection<ListedCrawl> Crawls => _crawls.Values;

    /// <summary>As many crawls are kept as may be.</summary>
    public bool IsFull => _crawls.Count >= ICrawlListGrain.MaxCrawls;

    /// <summary>
    /// The rounds of a crawl that are older than its last <paramref name="kept"/>, the oldest first; null: none is too old.
    /// </summary>
    public IReadOnlyList<CrawlId> RoundsBefore(CrawlId first, int? kept) =>
        [
            .. _crawls
                .Values.Where(listed => listed.Id == first || listed.Spec.RoundOf == first)
                .OrderBy(listed => listed.At)
                .SkipLast(kept ?? _crawls.Count)
                .Select(listed => listed.Id),
        ];

    /// <summary>Rounds whose time has come, if the round before has ended.</summary>
    public IReadOnlyList<RoundsRow> DueRounds =>
        [.. _rounds.Values.Select(rounds => rounds.Row).Where(rounds => rounds.DueAt <= clock.GetUtcNow())];

    /// <summary>A commit failed, or its outcome is unknown.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Why a crawl cannot be listed, its name apart: sentences.</summary>
    public IEnumerable<string> WhyNot(CrawlSpec spec)
    {
        if (IsFull)
        {
            yield return $"{ICrawlListGrain.MaxCrawls} crawls are kept already. Delete one first.";
        }

        if (spec.Revisit is { } earlier && !_crawls.ContainsKey(earlier))
        {
            yield return $"There is no crawl {earlier} to revisit.";
        }
    }

    /// <summary>An id goes before a name.</summary>
    public CrawlId? Find(string idOrName) =>
        (
            _crawls.Values.FirstOrDefault(listed => listed.Id.Value == idOrName)
            ?? _crawls.Values.FirstOrDefault(listed => listed.Spec.Name == idOrName)
        )?.Id;

    public async Task Restore(CancellationToken cancel)
    {
        await foreach (var row in Scan(ItemPrefix, cancel))
        {
            var listed = CrawlJson.Read<ListedCrawl>(row.Payload);
            _crawls.Add(listed.Id, listed);
        }

        await foreach (var row in Scan(CrawlTable.RoundsPrefix, cancel))
        {
            var rounds = CrawlJson.Read<RoundsRow>(row.Payload);
            _rounds.Add(rounds.First, (rounds, row.ETag));
        }
    }

    /// <summary>The crawls that are to be woken now: those that have not ended, and every few minutes all.</summary>
    public IReadOnlyList<ListedCrawl> ToWake()
    {
        if (clock.GetElapsedTime(_wokeAll) >= WakeAllEvery)
        {
            _wokeAll = clock.GetTimestamp();
            _ended.Clear();
        }

        return [.. _crawls.Values.Where(listed => !_ended.Contains(listed.Id))];
    }

    /// <summary>A crawl is at its end and needs no waking.</summary>
    public void OnEnded(CrawlId id) => _ended.Add(id);

    /// <summary>A crawl that had ended goes on.</summary>
    public void OnReopened(CrawlId id) => _ended.Remove(id);

    /// <summary>Lists a crawl under a new id; null: another one has its name.</summary>
    public async Task<ListedCrawl?> Add(CrawlSpec spec, CancellationToken cancel)
    {
        var listed = NewCrawl(spec);
        var rounds = spec.Every is { } every ? RoundSchedule.Begin(listed.Id, every, listed.At) : null;
        RowChange[] first = rounds is null ? [] : [RowChange.Insert(RoundSchedule.Key(rounds.First), CrawlJson.Write(rounds))];
        var commit = await Commit([.. Rows(listed), .. first], cancel);
        if (commit.Outcome == CommitOutcome.Conflict)
        {
            return null;
        }

        MustBeCommitted(commit);
        if (rounds is not null)
        {
            _rounds.Add(rounds.First, (rounds, commit.ETags[^1]!));
        }

        _crawls.Add(listed.Id, listed);
        return listed;
    }

    /// <summary>Takes a crawl off the list, with its name; false: it is not there.</summary>
    public async Task<bool> Remove(CrawlId id, CancellationToken cancel)
    {
        if (!_crawls.TryGetValue(id, out var listed))
        {
            return false;
        }

        MustBeCommitted(await Commit([.. Rows(listed).Select(row => RowChange.Delete(row.Key))], cancel));
        return _crawls.Remove(id);
    }

    /// <summary>
    /// Lists the next round of a crawl, in the commit that says when the one after it is due; null: there is none any more.
    /// </summary>
    public async Task<ListedCrawl?> AddRound(CrawlId first, CancellationToken cancel)
    {
        if (!_rounds.TryGetValue(first, out var rounds) || !_crawls.TryGetValue(rounds.Row.Last, out var last))
        {
            return null; // Both were there a moment ago: somebody has ended it.
        }

        var spec = RoundSchedule.Next(rounds.Row, last.Spec, name => _crawls.Values.Any(listed => listed.Spec.Name == name));
        var next = NewCrawl(spec);
        var after = RoundSchedule.After(rounds.Row, next.Id, spec.Every!.Value, next.At);
        var commit = await Commit(
            [.. Rows(next), RowChange.Replace(RoundSchedule.Key(first), CrawlJson.Write(after), rounds.ETag)],
            cancel
        );
        if (commit.Outcome == CommitOutcome.Conflict && !_rounds.ContainsKey(first))
        {
            return null; // It was ended meanwhile.
        }

        MustBeCommitted(commit);
        if (_rounds.ContainsKey(first))
        {
            _rounds[first] = (after, commit.ETags[^1]!);
        }

        _crawls.Add(next.Id, next);
        return next;
    }

    /// <summary>No further round of a crawl begins; false: none was to.</summary>
    public async Task<bool> EndRounds(CrawlId first, CancellationToken cancel)
    {
        if (!_rounds.Remove(first))
        {
            return false;
        }

        MustBeCommitted(await Commit([RowChange.Delete(RoundSchedule.Key(first))], cancel));
        return true;
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

    private IAsyncEnumerable<TableRow> Scan(string prefix, CancellationToken cancel) =>
        store.ScanAll(CrawlTable.Name, CrawlTable.Crawls, KeyRange.Prefix(prefix), cancel: cancel);

    private Task<CommitResult> Commit(IReadOnlyList<RowChange> changes, CancellationToken cancel) =>
        store.Commit(CrawlTable.Name, CrawlTable.Crawls, changes, cancel);

    private void MustBeCommitted(CommitResult commit)
    {
        if (commit.Outcome != CommitOutcome.Committed)
        {
            IsLost = true;
            over();
            throw new PartitionLostException(CrawlTable.Name, CrawlTable.Crawls, commit);
        }
    }
}
