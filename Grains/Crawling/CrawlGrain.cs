using System.Collections.Immutable;
using Grains.Crawling.Frontier;
using Grains.Crawling.Results;
using Grains.Crawling.Rounds;
using Grains.Crawling.Rows;
using Grains.Crawling.Urls;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;
using Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grains.Crawling;

/// <summary>
/// One crawl: what was asked, its state, its limits, its hosts. It pulls the hosts' sums, and finds the end when two pulls agree that
/// nothing waits.
/// </summary>
/// <remarks>
/// The sweep is a timer that interleaves with calls, so that nobody waits for slow hosts. It holds because a sweep changes the head only by
/// <see cref="Save"/>, which starts from the head as it is at that moment, and looks at the state again after each await.
/// </remarks>
[GrainType("crawl")]
public sealed partial class CrawlGrain(
    ITableStore store,
    IBlobStore blobs,
    IOptions<CrawlingOptions> options,
    TimeProvider clock,
    ILogger<CrawlGrain> logger
) : Grain, ICrawlGrain, IDisposable
{
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromMilliseconds(250);

    private const string NotFound = "not found";

    private const string OutOfScope = "out of scope";

    /// <summary>Hosts asked at once in a sweep.</summary>
    private const int HostsAtOnce = 64;

    private readonly Dictionary<HostKey, long?> _hosts = [];
    private CrawlHead? _head;
    private string? _headETag;
    private HostSums _sums = Zero;
    private HostSums? _balancedBefore;
    private string? _note;
    private IGrainTimer? _timer;
    private readonly SemaphoreSlim _saving = new(1);
    private Task? _sweep;
    private bool _hasSums;

    private CrawlId Id => CrawlId.Parse(this.GetPrimaryKeyString());

    private string Partition => CrawlTable.Crawl(Id);

    private ICrawlListGrain List => GrainFactory.GetGrain<ICrawlListGrain>(0);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (await store.Get(CrawlTable.Name, Partition, PartitionWriter.HeadKey, cancellationToken) is not { } row)
        {
            return;
        }

        _head = CrawlJson.Read<CrawlHead>(row.Payload);
        _headETag = row.ETag;
        _sums = _head.Sums ?? Zero;
        _seededAt = clock.GetUtcNow();
        await foreach (var listed in Listed(cancellationToken))
        {
            _hosts.Add(new(listed.Host), listed.Allowance);
        }

        StartSweeping();
    }

    public void Dispose() => _saving.Dispose();

    public async Task<bool> Begin(CrawlSpec spec, DateTimeOffset at, CancellationToken cancel)
    {
        if (_head is null)
        {
            await Save(_ => new CrawlHead
            {
                Order = new(Id, Version: 1, CrawlState.Running, spec) { Trace = System.Diagnostics.Activity.Current?.Id },
                StartedAt = at,
                RunningSince = clock.GetUtcNow(),
                SeedsFollow = spec.MoreSeeds,
                RevisitFrom = spec.Revisit is null ? null : "",
            });
            _seededAt = clock.GetUtcNow();
            LogBegun(Id, spec.Name);
        }

        if (!_head!.Seeded && _head.Order.State == CrawlState.Running)
        {
            await Seed(cancel);
        }

        StartSweeping();
        StartTidying();
        return !IsSettled;
    }

    public async Task<CrawlSummary?> Show(CancellationToken cancel)
    {
        await HaveSums();
        return Summary() is { } crawl ? crawl with { Rounds = await RoundSchedule.Read(store, Id, crawl.Spec, cancel) } : null;
    }

    public async Task<ControlReply> Pause(CancellationToken cancel)
    {
        if (_head is { EndReason: null, Order.State: CrawlState.Running })
        {
            await Save(head => head with { Order = Next(CrawlState.Paused), Ran = Ran, RunningSince = null });
            LogState(Id, CrawlState.Paused);
            await SweepAnew();
        }

        return Reply(CrawlState.Paused);
    }

    public async Task<ControlReply> Resume(CancellationToken cancel)
    {
        if (_head is { EndReason: null, Order.State: CrawlState.Paused })
        {
            await Save(head => head with { Order = Next(CrawlState.Running), RunningSince = clock.GetUtcNow() });
            LogState(Id, CrawlState.Running);
            StartSweeping();
            await SweepAnew();
        }

        return Reply(CrawlState.Running);
    }

    public async Task<ControlReply> Cancel(CancellationToken cancel)
    {
        if (_head is { Order.State: CrawlState.Running or CrawlState.Paused })
        {
            await Save(head =>
                head with
                {
                    Order = Next(CrawlState.Cancelled),
                    EndReason = head.EndReason ?? Refusals.Cancelled,
                    Ran = Ran,
                    RunningSince = null,
                }
            );
            LogState(Id, CrawlState.Cancelled);
            StartSweeping();
            await SweepAnew();
        }

        var hadRounds = _head?.Order.Spec is { Every: not null } spec && await List.EndRounds(spec.RoundOf ?? Id, cancel);
        return hadRounds && Summary() is { Ended: true } ended ? new(ended, null) : Reply(CrawlState.Cancelled);
    }

    public async Task<ControlReply> Delete(CancellationToken cancel)
    {
        if (_head is not null && _head.Order.State != CrawlState.Deleting)
        {
            await Save(head =>
                head with
                {
                    Order = Next(CrawlState.Deleting),
                    EndReason = head.EndReason ?? Refusals.Cancelled,
                    Ran = Ran,
                    RunningSince = null,
                }
            );
            LogState(Id, CrawlState.Deleting);
            StartSweeping();
        }

        return Reply(CrawlState.Deleting);
    }

    public async Task<EnlistReply?> Enlist(ImmutableArray<HostKey> hosts, CancellationToken cancel)
    {
        if (_head is not { EndReason: null })
        {
            return null;
        }

        var fresh = hosts.Where(host => !_hosts.ContainsKey(host)).Distinct().Take(ICrawlGrain.MaxHosts - _hosts.Count).ToList();
        foreach (var some in fresh.Chunk(StoreLimits.MaxCommitRows - 1))
        {
            await Save(
                head => head,
                some.Select(host => RowChange.Put(HostRow(host), CrawlJson.Write(new ListedHost(host.Value, Allowance: null))))
            );
            foreach (var host in some)
            {
                _hosts.TryAdd(host, null);
            }
        }

        return new(_head.Order, [.. hosts.Where(host => !_hosts.ContainsKey(host))]);
    }

    public Task<ImmutableArray<HostKey>> Hosts(HostKey? after, int take, CancellationToken cancel)
    {
        var ordered = _hosts.Keys.OrderBy(host => host.Value, StringComparer.Ordinal);
        var rest = after is { } last ? ordered.Where(host => string.CompareOrdinal(host.Value, last.Value) > 0) : ordered;
        return Task.FromResult(rest.Take(Math.Clamp(take, 1, 1000)).ToImmutableArray());
    }

    public async Task<ImmutableArray<HostState>> HostStates(HostKey? after, int take, CancellationToken cancel)
    {
        var hosts = await Hosts(after, Math.Min(take, ICrawlGrain.MaxHostStates), cancel);
        return [.. await Task.WhenAll(hosts.Select(host => GrainFactory.GetGrain<IHostGrain>(host.Value).State(Id, cancel)))];
    }

    public Task<ExportPage> Export(string? cursor, ExportKind kind, CancellationToken cancel) =>
        new CrawlExport(store, Id).Read(cursor, kind, cancel);

    public async Task<Explanation> Explain(string url, CancellationToken cancel)
    {
        await HaveSums();
        var fault = UrlParser.Parse(url, baseUrl: null, out var canonical);
        if (canonical is null)
        {
            ImmutableArray<ExplainLine> no =
            [
                new("url", $"\"{UrlFaults.Shorten(url)}\" is no URL that can be crawled: {UrlFaults.Say(fault, url)}"),
            ];
            return new(null, "no url", fault == UrlFault.TooLong ? no.Add(Explanations.TooLong(_sums.Refused)) : no);
        }

        if (_head is not { } head || !CrawlBoundary.TryCreate(head.Order.Spec, out var boundary, out _))
        {
            return new(canonical.Text, NotFound, [new("crawl", $"there is no crawl {Id}")]);
        }

        var scope = boundary.Decide(canonical, depth: 0, _hosts.ContainsKey(canonical.HostKey) ? canonical : null);
        ImmutableArray<ExplainLine> lines = [new("scope", scope.Says)];
        if (!scope.In || !_hosts.ContainsKey(canonical.HostKey))
        {
            return scope.In ? new(canonical.Text, NotFound, lines.Add(WhyNotFound(head.Order.Spec)))
                : CrawlBoundary.Widening(head.Order.Spec, canonical) is { } flag
                    ? new(canonical.Text, OutOfScope, lines.Add(new("flag", flag)))
                : new(canonical.Text, OutOfScope, lines);
        }

        lines = lines.AddRange(await GrainFactory.GetGrain<IHostGrain>(canonical.HostKey.Value).Explain(Id, canonical.Text, cancel));
        var state = lines.First(line => line.Label == Explanations.State);
        lines = lines.Remove(state);
        return new(
            canonical.Text,
            state.Text,
            state.Text == NotFound
                ? [.. lines.Select(line => line.Label == Explanations.Found ? WhyNotFound(head.Order.Spec) : line)]
                : lines
        );
    }

    private ExplainLine WhyNotFound(CrawlSpec spec) => Explanations.NotFound(spec, _sums.Refused, _sums.Truncated);

    public async Task<Account?> Account(CancellationToken cancel)
    {
        await HaveSums();
        return _head is null
            ? null
            : new Account(
                "crawling",
                "urls",
                _sums.Added,
                _sums.Done,
                _sums.Refused,
                _sums.Waiting,
                (long)options.Value.MaxUrlsPerHost * Math.Max(1, _hosts.Count),
                "refused as host-full, and counted"
            );
    }

    private static HostSums Zero => new(0, 0, ImmutableSortedDictionary<string, long>.Empty, 0, 0, 0, 0, WantsMore: false);

    /// <summary>Nothing is left to do for this crawl.</summary>
    private bool IsSettled =>
        _head is null || _head.Order.State is CrawlState.Done || (_head.Order.State is CrawlState.Cancelled && _head.EndedAt is not null);

    private TimeSpan Ran => _head!.Ran + (_head.RunningSince is { } since ? clock.GetUtcNow() - since : TimeSpan.Zero);

    /// <summary>
    /// Hosts are listed, then given their seeds, then it is noted: after a crash, it is done again, and what is there stays.
    /// </summary>
    private async Task Seed(CancellationToken cancel)
    {
        var seeds = _head!
            .Order.Spec.Seeds.Select(seed =>
                CanonicalUrl.TryParse(seed, baseUrl: null, out var url)
                    ? url
                    : throw new FormatException($"The seed \"{seed}\" of crawl {Id} is no URL.")
            )
            .GroupBy(seed => seed.HostKey)
            .ToList();
        if (await Enlist([.. seeds.Select(host => host.Key)], cancel) is not { } enlisted)
        {
            return;
        }

        await Task.WhenAll(
            seeds.Select(host =>
                GrainFactory
                    .GetGrain<IHostGrain>(host.Key.Value)
                    .Add(enlisted.Order, [.. host.Select(seed => new FoundUrl(seed.Text, Depth: 0, Parent: null))], cancel)
            )
        );
        await Save(head => head with { Seeded = true });
    }

    private CrawlOrder Next(CrawlState state) => _head!.Order with { Version = _head.Order.Version + 1, State = state };

    private ControlReply Reply(CrawlState wanted)
    {
        if (Summary() is not { } crawl)
        {
            return new(null, $"There is no crawl {Id}.");
        }

        return crawl.State == wanted || (wanted == CrawlState.Cancelled && crawl.State == CrawlState.Deleting)
            ? new(crawl, null)
            : new(
                crawl,
                $"Crawl {Id} is {crawl.State.ToString().ToLowerInvariant()} and cannot become {wanted.ToString().ToLowerInvariant()}."
            );
    }

    private CrawlSummary? Summary() =>
        _head is not { } head
            ? null
            : new(
                Id,
                head.Order.Spec.Name,
                head.Order.State,
                head.Order.Spec,
                _sums.Added,
                _sums.Done,
                _sums.Failed,
                _sums.Refused.Values.Sum() - _sums.Failed,
                _sums.Waiting,
                _hosts.Count,
                _sums.Bytes,
                head.StartedAt,
                head.EndedAt,
                Ran,
                _note
            )
            {
                Reasons = _sums.Refused,
                Truncated = _sums.Truncated,
                Redirects = _sums.Redirects,
                Cut = _sums.Cut,
                Traps = _sums.Traps,
                Changes = _sums.Changes,
                Seeds = head.Seeds,
                Kept =
                    _sums.ToKeep == 0
                        ? null
                        : new(
                            _sums.ToKeep,
                            head.PagesRemovedAt is null ? _sums.Kept : 0,
                            _sums.KeptBytes,
                            _sums.NotKept,
                            head.PagesRemovedAt
                        ),
            };

    private static string HostRow(HostKey host) => CrawlTable.HostPrefix + StoreLimits.HashKey(host.Value);

    private async IAsyncEnumerable<ListedHost> Listed([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var range = KeyRange.Prefix(CrawlTable.HostPrefix);
        IReadOnlyList<TableRow> rows;
        do
        {
            rows = await store.Scan(CrawlTable.Name, Partition, range, StoreLimits.MaxScan, cancel);
            foreach (var row in rows)
            {
                yield return CrawlJson.Read<ListedHost>(row.Payload);
            }

            range = rows.Count == 0 ? range : range.After(rows[^1].Key);
        } while (rows.Count == StoreLimits.MaxScan);
    }

    /// <summary>
    /// Save or be gone: the head by its etag, and other rows with it. Saves follow one another, each made from the head as the one before
    /// left it.
    /// </summary>
    private async Task Save(Func<CrawlHead, CrawlHead> change, IEnumerable<RowChange>? others = null)
    {
        await _saving.WaitAsync();
        try
        {
            var head = change(_head!);
            var payload = CrawlJson.Write(head);
            var result = await store.Commit(
                CrawlTable.Name,
                Partition,
                [
                    _headETag is null
                        ? RowChange.Insert(PartitionWriter.HeadKey, payload)
                        : RowChange.Replace(PartitionWriter.HeadKey, payload, _headETag),
                    .. others ?? [],
                ]
            );
            MustBeCommitted(result);
            _head = head;
            _headETag = result.ETags[0];
        }
        finally
        {
            _saving.Release();
        }
    }

    private void MustBeCommitted(CommitResult result)
    {
        if (result.Outcome != CommitOutcome.Committed)
        {
            DeactivateOnIdle();
            throw new PartitionLostException(CrawlTable.Name, Partition, result);
        }
    }
}
