using System.Collections.Immutable;
using Grains.Books;
using Grains.Crawling.Rows;
using Grains.Crawling.Sessions;
using Grains.Crawling.Traps;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Frontier;

/// <summary>
/// One crawl on one host: decides what comes in, what is leased and what became of it, and says it as rows.
/// <see cref="PartitionWriter"/> makes them durable; it is told the time and does no I/O. All of leases is by the guards' clock
/// (<see cref="Clocks"/>):
/// their ends, the horizon, <see cref="LastEnded"/>; when a URL is tried again is by the schedule's.
/// </summary>
public sealed class HostCrawl(CrawlOrder order, HostHead head, int maxUrls, RetryPolicy retries)
{
    /// <summary>How much longer than the lease of the last commit a lease may last: so not every lease needs a commit of its own.</summary>
    public static readonly TimeSpan Slack = TimeSpan.FromSeconds(1);

    /// <summary>A lease ends so much later for the host than for the worker.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Leases of one URL that may be lost.</summary>
    public const int MaxLost = 5;

    /// <summary>For so long they may be lost: in less time a silo that was killed or stands still is not always written off.</summary>
    public static readonly TimeSpan LostFor = TimeSpan.FromMinutes(10);

    /// <summary>URLs whose lost leases are counted; those of others are not.</summary>
    private const int MaxLostUrls = 10_000;

    private readonly FingerprintSet _seen = new(Random.Shared.NextInt64());
    private readonly FingerprintSet _turnedAway = new(Random.Shared.NextInt64());
    private readonly Dictionary<string, (int Count, DateTimeOffset Since)> _lost = new(StringComparer.Ordinal);
    private DateTimeOffset _inherited = head.Horizon;
    private readonly List<PageRecord> _finished = [];
    private readonly TrapDetector _traps = new();
    private readonly PathFacets _facets = new();
    private HostHead _committed = head with { };
    private int _finishing;

    /// <summary>The crawl as it was told last.</summary>
    public CrawlOrder Order { get; private set; } = order;

    public HostQueue Queue { get; } = new();

    /// <summary>The crawl is to be told the sitemaps that robots.txt names.</summary>
    public bool WantsSitemaps => Order.Spec.Sitemaps != SitemapUse.No && !head.HasSitemaps;

    /// <summary>The crawl as workers are to see it: this host alone may have reached what may be kept of pages.</summary>
    public CrawlOrder OrderForWorkers =>
        Order.KeptFull || head.KeptBytes < Order.Spec.MaxKeptBytes ? Order : Order with { KeptFull = true };

    /// <summary>
    /// Pages that may be fetched here in all; null: not told yet, or no limit (<see cref="CrawlSpec.MaxPages"/> says which).
    /// </summary>
    public long? Allowance { get; private set; }

    public bool Ended => head.Ended is not null;

    public string? EndReason => head.Ended;

    /// <summary>Until when leases may last, as far as it is durable.</summary>
    public DateTimeOffset Horizon => _committed.Horizon;

    /// <summary>The end of the lease for a robots.txt that this crawl handed out; null when there is none.</summary>
    public DateTimeOffset? RobotsLeaseEnd { get; set; }

    /// <summary>
    /// When a request of this crawl ended last, as far as this activation knows: a successor lets the delay run from there.
    /// </summary>
    public DateTimeOffset LastEnded { get; set; }

    /// <summary>Bytes of what is remembered of URLs that are not in work.</summary>
    public long MemoryBytes => _seen.Bytes + _turnedAway.Bytes;

    /// <summary>
    /// What the worker gets: the time for a fetch and a quarter more (a second at least) for what comes before and after.
    /// </summary>
    public TimeSpan LeaseTime
    {
        get
        {
            var timeout = Order.Spec.Timeout;
            var extra = timeout / 4;
            return timeout + (extra > TimeSpan.FromSeconds(1) ? extra : TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>What the host waits before it gives a URL to somebody else: a second longer, for the way of the messages.</summary>
    public TimeSpan HeldFor => LeaseTime + Grace;

    /// <summary>
    /// When a lease that is handed out now ends: after <see cref="HeldFor"/>, but not after what is durable. Null when that leaves less
    /// than half the time
    /// that a fetch may take: the store is too slow, and a later call has more luck.
    /// </summary>
    public DateTimeOffset? LeaseEnd(DateTimeOffset now)
    {
        var end = now + HeldFor < Horizon ? now + HeldFor : Horizon;
        return end - now - Grace >= Order.Spec.Timeout / 2 ? end : null;
    }

    /// <summary>URLs that wait, those in flight included.</summary>
    public long Waiting => _committed.Waiting;

    /// <summary>Committed counters.</summary>
    public HostSums Sums() => _committed.Sums(Used, WantsMore);

    /// <summary>
    /// Pages that were fetched, may be being fetched, or wait for the commit that counts them; of those known to redirect none.
    /// </summary>
    private long Used => _committed.Done - _committed.Redirects + Queue.Leased + _finishing;

    private long PagesLeft => Order.Spec.MaxPages is null ? long.MaxValue : (Allowance ?? 0) - Used;

    private bool WantsMore => !Ended && PagesLeft <= 0 && _committed.Waiting > Queue.Leased + _finishing;

    /// <summary>Something may be leased as soon as the host may be asked.</summary>
    public bool MayLease => !Ended && !_isLeaving && Order.State == CrawlState.Running && PagesLeft > 0 && !(Used >= Order.Spec.HostPages);

    /// <summary>The word for the books of a budget of the host that is used up (<see cref="HostBudget"/>); null: none is.</summary>
    public string? Spent(DateTimeOffset now) =>
        HostBudget.Spent(
            Order.Spec,
            _committed.Done - _committed.Redirects,
            _committed.Bytes,
            _committed.Failed,
            head.AskedSince is { } since ? now - since : TimeSpan.Zero
        );

    /// <summary>A page is asked for now, perhaps the first.</summary>
    public void Asked(DateTimeOffset now) => head.AskedSince ??= now;

    /// <summary>The end of the crawl here, once a budget of the host is used up and no request is under way; null: it goes on.</summary>
    public IPartitionWork? EndSpent(DateTimeOffset now)
    {
        if (Ended || _isSpent || Queue.Leased > 0 || _finishing > 0 || Spent(now) is not { } reason)
        {
            return null;
        }

        _isSpent = true;
        return End(reason);
    }

    /// <summary>True when it changed.</summary>
    public bool Tell(CrawlOrder latest)
    {
        if (latest.Version <= Order.Version)
        {
            return false;
        }

        Order = latest;
        return true;
    }

    /// <summary>A lower allowance than before counts only as far as it is not used.</summary>
    public void Allow(long? allowance) => Allowance = allowance is { } pages ? Math.Max(pages, Used) : null;

    /// <summary>Takes what a predecessor stored of a URL.</summary>
    public void Remember(string url) => _seen.Add(url);

    /// <summary>The head row after what was filled so far.</summary>
    public byte[] Head(DateTimeOffset now)
    {
        // What a predecessor handed out stays covered, however soon this activation ends too.
        var handedOut = Later(Later(_inherited, LastEnded), Later(Queue.LastLeaseEnds, RobotsLeaseEnd) ?? DateTimeOffset.MinValue);
        head.Horizon = Ended || head.Waiting == 0 || _isLeaving ? handedOut : Later(handedOut, now + HeldFor + Slack);
        return CrawlJson.Write(head);
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static DateTimeOffset? Later(DateTimeOffset? a, DateTimeOffset? b) => a is null || b > a ? b : a;

    /// <summary>The next activation's number is durable before it hands out a lease.</summary>
    public long NextLease() => FirstLease + ++_leases;

    /// <summary>Below every lease number of this activation, and above those of each one before.</summary>
    public long FirstLease => head.Epoch << 32;

    private long _leases;
    private bool _isLeaving;
    private bool _isSpent;

    /// <summary>What a predecessor handed out is over: a successor need not wait for it.</summary>
    public void ForgetPredecessor() => _inherited = DateTimeOffset.MinValue;

    /// <summary>The activation ends: the horizon shrinks to the leases that are out.</summary>
    public void LeaseNoMore() => _isLeaving = true;

    /// <summary>URLs that were found elsewhere, or seeds.</summary>
    public AcceptWork Accept(ImmutableArray<FoundUrl> urls, DateTimeOffset now) => new(this, urls, now);

    /// <summary>The cookies with a <c>Domain</c> that the crawl's hosts of this registrable domain share.</summary>
    public CookieJarRow DomainCookies { get; private set; } = CookieJarRow.Empty;

    /// <summary>Takes the shared cookies as they were read; what was read before them changes nothing any more.</summary>
    public void Share(CookieJarRow cookies) => DomainCookies = cookies.Version > DomainCookies.Version ? cookies : DomainCookies;

    /// <summary>The value of the Cookie field for a request; null: none.</summary>
    public string? Cookie(CanonicalUrl url, DateTimeOffset now) =>
        Order.Spec.NoCookies || (head.Cookies is null && DomainCookies.Cookies.IsEmpty)
            ? null
            : CookieJar.Header([.. head.Cookies ?? [], .. DomainCookies.Cookies], url, now);

    /// <summary>
    /// The cookies of an answer for this host alone: stored with the commit of what became of the URL, and sent from now on.
    /// </summary>
    /// <returns>The outcome, whose page says how many cookies a bound cut off.</returns>
    public FetchOutcome TakeCookies(FetchOutcome outcome, DateTimeOffset now)
    {
        var cut = outcome.CookiesCut;
        if (outcome.SetCookies is { } lines && CanonicalUrl.TryParse(outcome.Url, baseUrl: null, out var url))
        {
            head.Cookies = CookieJar.After(head.Cookies ?? [], lines, url, now, out var pushedOut);
            cut += pushedOut;
        }

        head.CookiesCut += cut;
        return cut == 0 || outcome.Page is not { } page ? outcome : outcome with { Page = page with { CookiesCut = cut } };
    }

    /// <summary>What became of a lease that was held.</summary>
    public IPartitionWork Finish(QueueEntry entry, FetchOutcome outcome, DateTimeOffset now)
    {
        _lost.Remove(entry.Url);
        return outcome.Result switch
        {
            FetchResult.Answered => Answered(entry, outcome, now),
            FetchResult.Temporary when retries.Wait(entry.Attempts + 1, outcome.RetryAfter) is { } wait => new RetryWork(
                this,
                entry,
                now + wait,
                outcome.Reason ?? "unreachable",
                outcome.Page
            ),
            FetchResult.Temporary or FetchResult.Permanent => new FinishWork(
                this,
                entry,
                FailedOrSkipped(entry, outcome.Reason),
                outcome.Reason ?? "unreachable",
                outcome
            ),
            FetchResult.Known => Skip(entry, Refusals.Known),
            _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome.Result, "Not a result that finishes a URL."),
        };
    }

    /// <summary>From here to its commit the page is neither leased nor done, and counts all the same.</summary>
    private FinishWork Answered(QueueEntry entry, FetchOutcome outcome, DateTimeOffset now)
    {
        _finishing++;
        return new(this, entry, UrlState.Fetched, Reason: null, outcome, Unasked: null, now);
    }

    /// <summary>A link that leads behind the wall is none of ours; a seed was meant.</summary>
    private static UrlState FailedOrSkipped(QueueEntry entry, string? reason) =>
        reason == Refusals.NotAccepted || (reason == Refusals.PrivateAddress && !entry.IsSeed) ? UrlState.Skipped : UrlState.Failed;

    /// <summary>
    /// A lease ended without a report. Mostly its worker's silo is gone or stands still, and the page is not to blame: it goes back to its
    /// place (null), and
    /// no try is counted. Only a URL that loses <see cref="MaxLost"/> leases over <see cref="LostFor"/> or longer, while this host goes on,
    /// has failed: the
    /// page may be what breaks its workers.
    /// </summary>
    public IPartitionWork? Expire(QueueEntry entry, DateTimeOffset now)
    {
        var lost = _lost.TryGetValue(entry.Url, out var before) ? before with { Count = before.Count + 1 } : (Count: 1, Since: now);
        if (lost.Count >= MaxLost && now - lost.Since >= LostFor)
        {
            _lost.Remove(entry.Url);
            return new FinishWork(this, entry, UrlState.Failed, Refusals.LeaseExpired, Outcome: null);
        }

        if (lost.Count > 1 || _lost.Count < MaxLostUrls)
        {
            _lost[entry.Url] = lost;
        }

        Queue.Add(entry);
        return null;
    }

    /// <summary>What was fetched or failed durably since the last call, for whoever wants to hear of it.</summary>
    public ImmutableArray<PageRecord> TakeFinished()
    {
        ImmutableArray<PageRecord> finished = [.. _finished];
        _finished.Clear();
        return finished;
    }

    /// <summary>
    /// A URL whose turn it is and that is of a trap, which has become one since: it is put off, or refused. Null: it may be fetched.
    /// </summary>
    public IPartitionWork? Slow(QueueEntry entry, DateTimeOffset now)
    {
        if (entry.Due > DateTimeOffset.MinValue || TrapOf(entry.Url, entry.Depth) is not { } trap)
        {
            return null;
        }

        return TakeTrapped(trap, now) is { } due ? new SlowWork(this, entry, due) : Skip(entry, Refusals.Trap);
    }

    /// <summary>What was given, by a seed or by a sitemap, is none.</summary>
    private TrapRow? TrapOf(string url, int depth) => head.Traps is { } traps && depth > 0 ? TrapTrickle.Find(traps, url) : null;

    private string? ShapeOf(string url) => UrlShape.Of(url) ?? _facets.Find(url)?.Shape;

    private DateTimeOffset? TakeTrapped(TrapRow trap, DateTimeOffset now)
    {
        head.Traps = TrapTrickle.Take(head.Traps ?? [], trap, TrapTrickle.Interval(Order.Spec), now, out var due);
        return due;
    }

    /// <summary>A page that was fetched may show what its URL is.</summary>
    private void Observe(string? shape, PageRecord? page, int newOfShape, int newOfOthers, DateTimeOffset now)
    {
        if (shape is not null && page is not null && _traps.Observe(shape, page.Title, newOfShape, newOfOthers))
        {
            var facets = _facets.Find(page.Url) is { } found && found.Shape == shape ? found : null;
            head.Traps = TrapTrickle.With(head.Traps ?? [], shape, page.Url, now, facets is null ? null : _facets.Names(facets));
        }
    }

    /// <summary>A URL that is not to be fetched.</summary>
    public IPartitionWork Skip(QueueEntry entry, string reason) => new FinishWork(this, entry, UrlState.Skipped, reason, Outcome: null);

    /// <summary>A URL that cannot be fetched, as became clear before it was asked for: its host cannot be reached.</summary>
    /// <param name="cause">A sentence.</param>
    public IPartitionWork Fail(QueueEntry entry, string reason, string cause, DateTimeOffset now) =>
        new FinishWork(
            this,
            entry,
            FailedOrSkipped(entry, reason),
            reason,
            Outcome: null,
            new PageRecord(
                entry.Url,
                Status: null,
                entry.Depth,
                entry.Parent,
                ContentType: null,
                Title: null,
                Bytes: 0,
                Digest: null,
                Links: 0,
                now,
                ElapsedMs: 0,
                entry.Attempts,
                Location: null,
                Truncated: false,
                cause
            )
        );

    /// <summary>The crawl ends here: what waits is refused.</summary>
    public IPartitionWork End(string reason) => new EndWork(this, reason);

    /// <summary>
    /// It has ended here, and goes on by a version of the crawl that is later than the one under which it ended; not where a budget of the
    /// host is used up.
    /// </summary>
    public bool MayReopen(CrawlOrder latest) =>
        head.Ended is { } reason
        && HostBudget.Why(reason) is null
        && latest.Version > Order.Version
        && latest.State is CrawlState.Running or CrawlState.Paused;

    /// <summary>The crawl goes on here.</summary>
    /// <param name="waiting">Queue rows that its end left: their URLs wait again.</param>
    public IPartitionWork Reopen(long waiting) => new ReopenWork(this, waiting);

    /// <summary>URLs that have failed wait again, each for as many tries as a new one.</summary>
    public RequeueWork Requeue(IReadOnlyList<UrlRow> failed) => new(this, failed);

    /// <summary>What was filled so far is durable.</summary>
    public void Committed() => _committed = head with { };

    /// <summary>One URL into the commit; false when there is no room for it.</summary>
    private bool TryAccept(CommitBuilder commit, FoundUrl found, DateTimeOffset now, ref int added, ref int refused)
    {
        if (_seen.Contains(found.Url))
        {
            return true;
        }

        if (Ended || _seen.Count >= maxUrls)
        {
            head.Added++;
            head.Refuse(head.Ended ?? Refusals.HostFull);
            refused++;
            return true;
        }

        // Two rows with the URL and its parent in each, and some names around them.
        if (!commit.HasRoom(rows: 2, bytes: 2 * (found.Url.Length + (found.Parent?.Length ?? 0) + 200)))
        {
            return false;
        }

        DateTimeOffset? due = null;
        if (TrapOf(found.Url, found.Depth) is { } trap)
        {
            if (_turnedAway.Contains(found.Url))
            {
                return true;
            }

            due = TakeTrapped(trap, now);
            if (due is null)
            {
                _ = _turnedAway.Count < maxUrls && _turnedAway.Add(found.Url);
                head.Added++;
                head.Refuse(Refusals.Trap);
                return true;
            }
        }

        _seen.Add(found.Url);

        // What a small host would remember for it costs more than its URLs, and no trap shows before a hundred pages.
        if (!Order.Spec.FollowTraps && _seen.Count >= TrapDetector.MinPages / 2)
        {
            _facets.Learn(found.Url);
        }

        var entry = new QueueEntry(
            due is { } at ? QueueEntry.Later(at, head.NextSequence++) : QueueEntry.Ready(head.NextSequence++),
            found.Url,
            found.Depth,
            found.Parent,
            Attempts: 0,
            found.Hops,
            found.IsSitemap
        );
        commit.Add(
            RowChange.Insert(
                CrawlTable.Url(found.Url),
                CrawlJson.Write(
                    new UrlRow(found.Url, found.Depth, found.Parent, UrlState.Queued, Attempts: 0, Sitemap: found.IsSitemap ? true : null)
                )
            )
        );
        AddQueueRow(commit, entry);
        head.Added++;
        added++;
        return true;
    }

    private void AddQueueRow(CommitBuilder commit, QueueEntry entry)
    {
        commit.Add(
            RowChange.Insert(
                entry.Key,
                CrawlJson.Write(new QueueRow(entry.Url, entry.Depth, entry.Parent, entry.Attempts, entry.Hops, entry.IsSitemap))
            )
        );
        head.Waiting++;
        Queue.Expect(entry);
        commit.WhenCommitted(() => Queue.Add(entry));
    }

    private void RemoveQueueRow(CommitBuilder commit, QueueEntry entry)
    {
        commit.Add(RowChange.Delete(entry.Key));
        head.Waiting--;
        commit.WhenCommitted(() => Queue.Forget(entry));
    }

    /// <summary>URLs on their way in.</summary>
    public sealed class AcceptWork(HostCrawl crawl, ImmutableArray<FoundUrl> urls, DateTimeOffset now) : IPartitionWork
    {
        private int _position;
        private int _added;
        private int _refused;

        public AddReply Reply => new(_added, _refused);

        public bool Fill(CommitBuilder commit)
        {
            while (_position < urls.Length && crawl.TryAccept(commit, urls[_position], now, ref _added, ref _refused))
            {
                _position++;
            }

            return _position == urls.Length;
        }
    }

    /// <summary>
    /// A URL that is finished. Its links go in first, over as many commits as they need; the last of these holds the result, and counts the
    /// links not followed.
    /// </summary>
    /// <param name="Outcome">Null: it was not asked for.</param>
    /// <param name="Unasked">What is kept of a URL that was not asked for; null: nothing but its state.</param>
    /// <param name="Now">When it was fetched, by the schedule's clock: what traps are told. Of no account for what was not.</param>
    private sealed class FinishWork(
        HostCrawl crawl,
        QueueEntry entry,
        UrlState State,
        string? Reason,
        FetchOutcome? Outcome,
        PageRecord? Unasked = null,
        DateTimeOffset Now = default
    ) : IPartitionWork
    {
        private readonly ImmutableArray<FoundUrl> _links = State == UrlState.Fetched ? Links(Outcome!, entry) : [];

        private readonly string? _shape = State == UrlState.Fetched && !crawl.Order.Spec.FollowTraps ? crawl.ShapeOf(entry.Url) : null;

        private int _position;
        private int _added;
        private int _refused;
        private int _newOfShape;

        public bool Fill(CommitBuilder commit)
        {
            while (_position < _links.Length)
            {
                var before = _added;
                if (!crawl.TryAccept(commit, _links[_position], Now, ref _added, ref _refused))
                {
                    return false;
                }

                _newOfShape += _shape is not null && _added > before && crawl.ShapeOf(_links[_position].Url) == _shape ? 1 : 0;
                _position++;
            }

            var extract = Outcome?.Page?.Extract;
            var page = crawl.Bounded(Outcome?.Page)?.Found(entry).WithLeftOut(Refusals.HostFull, _refused) ?? Unasked;
            var row = CrawlJson.Write(
                new UrlRow(
                    entry.Url,
                    entry.Depth,
                    entry.Parent,
                    State,
                    entry.Attempts + (IsTry ? 1 : 0),
                    Reason,
                    page,
                    Sitemap(entry),
                    extract is null ? null : true
                )
            );
            var extractRow = extract is null ? [] : CrawlJson.Write(extract);
            if (!crawl.Ended && !commit.HasRoom(rows: extract is null ? 2 : 3, bytes: row.Length + extractRow.Length))
            {
                return false;
            }

            if (State == UrlState.Fetched)
            {
                commit.WhenCommitted(() => crawl._finishing--);
            }

            if (crawl.Ended)
            {
                // It was counted when the crawl ended, and has its queue row still.
                commit.WhenCommitted(() => crawl.Queue.Add(entry));
                return true;
            }

            commit.Add(RowChange.Put(CrawlTable.Url(entry.Url), row));
            if (extract is not null)
            {
                commit.Add(RowChange.Put(CrawlTable.Extract(entry.Url), extractRow));
            }

            crawl.RemoveQueueRow(commit, entry);
            crawl.Observe(_shape, page, _newOfShape, _added - _newOfShape, Now);
            Count(page);
            if (page is not null && State != UrlState.Skipped)
            {
                commit.WhenCommitted(() => crawl._finished.Add(page));
            }

            return true;
        }

        private bool IsTry => Outcome?.Page is not null || (Unasked is null && State != UrlState.Skipped);

        private void Count(PageRecord? page)
        {
            if (State != UrlState.Fetched)
            {
                crawl.CountRefusal(Reason!, failed: State == UrlState.Failed);
                return;
            }

            crawl.CountPage(page, Outcome!.Page?.Extract);
            crawl.CountKept(Outcome!, page?.Kept);
            crawl.NoteSitemaps(Outcome!);
            crawl.CountLeftOut(Outcome!);
        }
    }

    /// <summary>
    /// Links that are not followed come in and are refused in one. Those to this host count once, unless they came in by another way; of
    /// those to other hosts nobody here knows, so each page that has one counts it.
    /// </summary>
    private void CountLeftOut(FetchOutcome outcome)
    {
        foreach (var link in outcome.TurnedAway.IsDefault ? [] : outcome.TurnedAway)
        {
            if (!_seen.Contains(link.Url) && (_turnedAway.Count >= maxUrls || _turnedAway.Add(link.Url)))
            {
                head.Added++;
                head.Refuse(link.Reason);
            }
        }

        foreach (var (reason, count) in outcome.LeftOut ?? ImmutableSortedDictionary<string, long>.Empty)
        {
            head.Added += count;
            head.Refuse(reason, count);
        }
    }

    private void CountPage(PageRecord? page, PageExtract? extract)
    {
        head.Cut += extract is { Cut.IsEmpty: false } ? 1 : 0;
        head.Done++;
        head.Bytes += page?.Bytes ?? 0;
        head.Truncated += page?.Truncated == true ? 1 : 0;
        head.Redirects += page?.Location is null ? 0 : 1;
        if (page?.Change is { } change)
        {
            head.Changes = (head.Changes ?? ImmutableSortedDictionary<string, long>.Empty).Plus(change, 1);
        }
    }

    /// <summary>The page without its records where they would go beyond what may be kept: no row names them, so they are swept.</summary>
    private PageRecord? Bounded(PageRecord? page) =>
        page?.Kept is { } kept && head.KeptBytes + kept.Length > Order.Spec.MaxKeptBytes ? page with { Kept = null } : page;

    private void CountKept(FetchOutcome outcome, KeptPage? kept)
    {
        if (kept is not null)
        {
            head.ToKeep++;
            head.Kept++;
            head.KeptBytes += kept.Length;
        }
        else if (outcome.NotKept || outcome.Page?.Kept is not null)
        {
            head.ToKeep++;
            head.NotKept++;
        }
    }

    /// <summary>Of a page that redirects, the target is one hop further, and no deeper.</summary>
    private static ImmutableArray<FoundUrl> Links(FetchOutcome outcome, QueueEntry entry)
    {
        var (depth, hops) = outcome.Page?.Location is null ? (entry.Depth + 1, 0) : (entry.Depth, entry.Hops + 1);
        return [.. outcome.Links.Select(link => new FoundUrl(link, depth, entry.Url, hops)), .. outcome.Found ?? []];
    }

    private void NoteSitemaps(FetchOutcome outcome) => head.HasSitemaps |= outcome.HasSitemaps;

    private void CountRefusal(string reason, bool failed)
    {
        head.Refuse(reason);
        head.Failed += failed ? 1 : 0;
    }

    private void CountReadmission(string reason)
    {
        head.Readmit(reason);
        head.Failed--;
    }

    /// <summary>A URL that is to be tried again: its queue row moves to its time.</summary>
    private sealed class RetryWork(HostCrawl crawl, QueueEntry entry, DateTimeOffset due, string reason, PageRecord? page) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (crawl.Ended)
            {
                commit.WhenCommitted(() => crawl.Queue.Add(entry));
                return true;
            }

            var row = CrawlJson.Write(
                new UrlRow(
                    entry.Url,
                    entry.Depth,
                    entry.Parent,
                    UrlState.Queued,
                    entry.Attempts + 1,
                    reason,
                    page?.Found(entry),
                    Sitemap(entry)
                )
            );
            if (!commit.HasRoom(rows: 3, bytes: row.Length + entry.Url.Length + (entry.Parent?.Length ?? 0) + 100))
            {
                return false;
            }

            commit.Add(RowChange.Put(CrawlTable.Url(entry.Url), row));
            crawl.RemoveQueueRow(commit, entry);
            crawl.AddQueueRow(commit, entry with { Key = QueueEntry.Later(due, crawl.NextSequence()), Attempts = entry.Attempts + 1 });
            return true;
        }
    }

    /// <summary>A URL of a trap that waited among others: its queue row moves to its time.</summary>
    private sealed class SlowWork(HostCrawl crawl, QueueEntry entry, DateTimeOffset due) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            if (crawl.Ended)
            {
                commit.WhenCommitted(() => crawl.Queue.Add(entry));
                return true;
            }

            if (!commit.HasRoom(rows: 2, bytes: entry.Url.Length + (entry.Parent?.Length ?? 0) + 100))
            {
                return false;
            }

            crawl.RemoveQueueRow(commit, entry);
            crawl.AddQueueRow(commit, entry with { Key = QueueEntry.Later(due, crawl.NextSequence()) });
            return true;
        }
    }

    private long NextSequence() => head.NextSequence++;

    private static bool? Sitemap(QueueEntry entry) => entry.IsSitemap ? true : null;

    /// <summary>Failed URLs on their way back into the queue: what was refused waits.</summary>
    public sealed class RequeueWork(HostCrawl crawl, IReadOnlyList<UrlRow> failed) : IPartitionWork
    {
        private const string Unknown = "unreachable";

        private int _position;

        /// <summary>How many were queued, by the word for the books with which they had failed.</summary>
        public ImmutableSortedDictionary<string, long> Queued { get; private set; } = ImmutableSortedDictionary<string, long>.Empty;

        public bool Fill(CommitBuilder commit)
        {
            while (_position < failed.Count && !crawl.Ended)
            {
                var before = failed[_position];
                var row = CrawlJson.Write(before with { State = UrlState.Queued, Attempts = 0 });
                if (!commit.HasRoom(rows: 2, bytes: row.Length + before.Url.Length + (before.Parent?.Length ?? 0) + 100))
                {
                    return false;
                }

                commit.Add(RowChange.Put(CrawlTable.Url(before.Url), row));
                crawl.CountReadmission(before.Reason ?? Unknown);
                Queued = Queued.Plus(before.Reason ?? Unknown, 1);
                crawl.AddQueueRow(
                    commit,
                    new(
                        QueueEntry.Ready(crawl.NextSequence()),
                        before.Url,
                        before.Depth,
                        before.Parent,
                        Attempts: 0,
                        IsSitemap: before.IsSitemap
                    )
                );
                _position++;
            }

            return true;
        }
    }

    private sealed class ReopenWork(HostCrawl crawl, long waiting) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            crawl.ReopenNow(waiting);
            return true;
        }
    }

    private void ReopenNow(long waiting)
    {
        if (head.Ended is not { } reason)
        {
            return;
        }

        if (waiting > 0)
        {
            head.Readmit(reason, waiting);
        }

        head.Waiting = waiting;
        head.Ended = null;
    }

    private sealed class EndWork(HostCrawl crawl, string reason) : IPartitionWork
    {
        public bool Fill(CommitBuilder commit)
        {
            crawl.EndNow(reason);
            return true;
        }
    }

    private void EndNow(string reason)
    {
        if (Ended)
        {
            return;
        }

        if (head.Waiting > 0)
        {
            head.Refuse(reason, head.Waiting);
        }

        head.Waiting = 0;
        head.Ended = reason;
    }
}

/// <summary>Words for the books: why a URL was not fetched.</summary>
public static class Refusals
{
    /// <summary>The robots.txt of its host forbids it.</summary>
    public const string Robots = "robots";

    /// <summary>The robots.txt of its host could not be read for as long as that is waited for (<c>Crawling:RobotsPatience</c>).</summary>
    public const string RobotsUnreachable = "robots-unreachable";

    /// <summary>Its host has a private, loopback or metadata address, which the crawl may not connect to.</summary>
    public const string PrivateAddress = "private-address";

    /// <summary>The host keeps as many URLs of the crawl as it may (<c>Crawling:MaxUrlsPerHost</c>).</summary>
    public const string HostFull = "host-full";

    /// <summary>The crawl has <see cref="ICrawlGrain.MaxHosts"/> hosts already, and the link leads to another.</summary>
    public const string TooManyHosts = "too-many-hosts";

    /// <summary>A link beyond the first <c>PageParser.MaxLinks</c> of its page.</summary>
    public const string TooManyLinks = "too-many-links";

    /// <summary>A link longer than <c>CanonicalUrl.MaxLength</c>.</summary>
    public const string TooLongUrl = "too-long-url";

    /// <summary>A link that is more steps from a seed than the crawl follows.</summary>
    public const string MaxDepth = "max-depth";

    /// <summary>Its page asked not to follow it.</summary>
    public const string NoFollow = "nofollow";

    /// <summary>It redirects, and more than <c>Redirect.MaxHops</c> redirects in a row led to it.</summary>
    public const string TooManyRedirects = "too-many-redirects";

    /// <summary>Links or cookies for other hosts could not be delivered there.</summary>
    public const string Delivery = "delivery";

    /// <summary>The crawl's proxy is not among those of the silo, cannot be reached, or did not do what it was asked for.</summary>
    public const string Proxy = "proxy";

    /// <summary>The page could not be stored in the blob store.</summary>
    public const string PageStore = "page-store";

    /// <summary>A page that was not kept: the crawl keeps as many bytes as it may, or the page is too large.</summary>
    public const string KeepLimit = "keep-limit";

    /// <summary>A sitemap names a URL of a host that is neither its own nor that of the robots.txt that named it.</summary>
    public const string SitemapForeign = "sitemap-foreign";

    /// <summary>It redirects to itself with a cookie: it is asked once more.</summary>
    public const string CookieWall = "cookie-wall";

    /// <summary>Its host makes up URLs of its shape without end, and enough of them wait (<see cref="TrapTrickle"/>).</summary>
    public const string Trap = "trap";

    /// <summary>Its media type is none that the crawl accepts.</summary>
    public const string NotAccepted = "not-accepted";

    /// <summary>The crawl has fetched as many pages as it may.</summary>
    public const string MaxPages = "max-pages";

    /// <summary>Its host has given as many pages as the crawl takes of one (<see cref="CrawlSpec.HostPages"/>).</summary>
    public const string HostPages = "host-pages";

    /// <summary>Its host has given as many bytes as the crawl takes of one (<see cref="CrawlSpec.HostBytes"/>).</summary>
    public const string HostBytes = "host-bytes";

    /// <summary>Its host has been asked for as long as the crawl asks one (<see cref="CrawlSpec.HostTime"/>).</summary>
    public const string HostTime = "host-time";

    /// <summary>As many URLs of its host have failed as the crawl puts up with (<see cref="CrawlSpec.HostErrors"/>).</summary>
    public const string HostErrors = "host-errors";

    /// <summary>As often as anything is tried, nobody reported before the lease ended.</summary>
    public const string LeaseExpired = "lease-expired";

    /// <summary>The crawl was cancelled.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>A straggler: it came after its crawl was done.</summary>
    public const string CrawlDone = "crawl-done";

    /// <summary>Its row says that it is done, and the host did not know: a new activation had taken its place.</summary>
    public const string Known = "known";
}

internal static class PageRecordExtensions
{
    /// <summary>
    /// The record with what only the host knows: where the URL was found. What was read out of the page has a row of its own.
    /// </summary>
    public static PageRecord Found(this PageRecord page, QueueEntry entry) =>
        page with
        {
            Depth = entry.Depth,
            Parent = entry.Parent,
            Attempts = entry.Attempts + 1,
            Extract = null,
        };

    /// <summary>With so many further links that were not followed for a reason.</summary>
    public static PageRecord WithLeftOut(this PageRecord page, string reason, long count) =>
        count == 0 ? page : page with { LeftOut = (page.LeftOut ?? ImmutableSortedDictionary<string, long>.Empty).Plus(reason, count) };
}
