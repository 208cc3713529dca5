using System.Collections.Immutable;
using Grains.Books;
using Grains.Crawling.Frontier;
using Grains.Crawling.Rows;
using Grains.Crawling.Specs;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling;

/// <summary>
/// URLs that come to a crawl beside its links: those that somebody adds, further seeds, and failed ones that are tried again.
/// </summary>
public sealed partial class CrawlGrain
{
    /// <summary>What one part of a retry may cost: a head that is read costs 1, a call of a host <see cref="RetryCost"/>.</summary>
    private const int MaxRetryCost = 250;

    private const int RetryCost = 25;

    /// <summary>Calls of hosts for a crawl that is revisited, in one round over the hosts.</summary>
    private const int RevisitsAtOnce = 25;

    /// <summary>Calls that bring URLs to hosts: while there are any, the crawl does not end for want of URLs.</summary>
    private int _adding;

    /// <summary>When seeds came last, as far as this activation knows.</summary>
    private DateTimeOffset _seededAt;

    public async Task<AddUrlsReply> Add(ImmutableArray<string> urls, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(urls.Length, CrawlSpec.MaxSeeds);
        if (_head is not { EndReason: null, Seeded: true } head || !CrawlBoundary.TryCreate(head.Order.Spec, out var boundary, out _))
        {
            var state = _head?.Order.State.ToString().ToLowerInvariant();
            return new(0, 0, urls.Length, [], state is null ? $"There is no crawl {Id}." : $"Crawl {Id} is {state} and takes no URLs.");
        }

        _adding++;
        try
        {
            _seededAt = clock.GetUtcNow();
            return await Deliver(AddedUrls.Of(urls, boundary, asSeeds: head.SeedsFollow), cancel);
        }
        finally
        {
            AddingEnded();
        }
    }

    public async Task<ControlReply> EndSeeds(CancellationToken cancel)
    {
        if (_head is { SeedsFollow: true })
        {
            await Save(head => head with { SeedsFollow = false });
        }

        return Summary() is { } crawl ? new(crawl, null) : new(null, $"There is no crawl {Id}.");
    }

    public async Task<RetryReply> Retry(string? reason, string? cursor, CancellationToken cancel)
    {
        await SweepEnded();
        if (WhyNotRetried() is { } closed)
        {
            return new(ImmutableSortedDictionary<string, long>.Empty, Cursor: null, closed);
        }

        if (IsSettled && (_sums.Failed == 0 || (reason is not null && !_sums.Refused.ContainsKey(reason))))
        {
            return new(ImmutableSortedDictionary<string, long>.Empty, Cursor: null, Closed: null);
        }

        _adding++;
        try
        {
            await Reopen(cancel);
            return await RetryPart(reason, cursor, cancel);
        }
        finally
        {
            AddingEnded();
            _hasSums = false; // Whoever looks next sees what waits again.
        }
    }

    /// <summary>What was just added is in no sums yet.</summary>
    private void AddingEnded()
    {
        _adding--;
        _balancedBefore = null;
    }

    private async Task<AddUrlsReply> Deliver(AddedUrls added, CancellationToken cancel)
    {
        if (await Enlist([.. added.ByHost.Keys], cancel) is not { } enlisted)
        {
            return new(0, 0, added.Count + added.Refused, [], $"Crawl {Id} has ended and takes no URLs.");
        }

        var replies = await Task.WhenAll(
            added
                .ByHost.Where(host => !enlisted.NotListed.Contains(host.Key))
                .Select(host => GrainFactory.GetGrain<IHostGrain>(host.Key.Value).Add(enlisted.Order, host.Value, cancel))
        );
        var unlisted = enlisted.NotListed.Sum(host => added.ByHost[host].Length);
        var refused = replies.Sum(reply => reply.Refused);
        var fresh = replies.Sum(reply => reply.New) - refused;
        return new(
            fresh,
            added.Count - unlisted - replies.Sum(reply => reply.New),
            added.Refused + unlisted + refused,
            unlisted == 0
                ? added.Errors
                : added.Errors.Add(
                    $"{unlisted} are on hosts beyond the {ICrawlGrain.MaxHosts} that a crawl may have ({Refusals.TooManyHosts})."
                ),
            Closed: null
        );
    }

    /// <summary>Further seeds follow. When none has come for long, none does: then the crawl may end.</summary>
    private async Task<bool> SeedsFollow()
    {
        if (_head is not { SeedsFollow: true })
        {
            return false;
        }

        var until = _seededAt + ICrawlGrain.SeedsTimeout;
        if (until <= clock.GetUtcNow())
        {
            await Save(head => head with { SeedsFollow = false });
            return false;
        }

        _note ??= $"It waits for further seeds until {until.UtcDateTime:u}: crawl add {Id} --from FILE --last.";
        return true;
    }

    private async Task SweepEnded()
    {
        if (_sweep is { IsCompleted: false } sweep)
        {
            // Whoever began it hears of its failure.
            await sweep.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    private string? WhyNotRetried() =>
        _head switch
        {
            null => $"There is no crawl {Id}.",
            { Order.State: CrawlState.Cancelled or CrawlState.Deleting } head =>
                $"Crawl {Id} is {head.Order.State.ToString().ToLowerInvariant()}, for good: start another one.",
            { EndReason: Refusals.MaxPages } => $"Crawl {Id} has as many pages as it may (--max-pages): start another one with more.",
            { EndReason: not null } when !IsSettled => $"Crawl {Id} is ending. Ask again in a moment.",
            _ when _tidying is not null => $"Objects of crawl {Id} that no page needs are being removed. Ask again in a moment.",
            _ => null,
        };

    /// <summary>A crawl that is done goes on. What wakes crawls knows it first.</summary>
    private async Task Reopen(CancellationToken cancel)
    {
        if (!IsSettled)
        {
            return;
        }

        await List.Reopened(Id, cancel);
        await Save(head =>
            head with
            {
                Order = Next(CrawlState.Running),
                EndReason = null,
                EndedAt = null,
                RunningSince = clock.GetUtcNow(),
                Sums = null,
                Seeds = null,
                SweptAt = null,
                PagesRemovedAt = null,
            }
        );
        LogState(Id, CrawlState.Running);
        StartSweeping();
    }

    /// <summary>Hosts in order of their keys. The cursor is the last host, and where its next call goes on: <c>host/row</c>.</summary>
    private async Task<RetryReply> RetryPart(string? reason, string? cursor, CancellationToken cancel)
    {
        var slash = cursor?.LastIndexOf('/') ?? -1;
        var (from, after) = slash < 0 ? ("", null) : (cursor![..slash], cursor[(slash + 1)..]);
        var retried = ImmutableSortedDictionary<string, long>.Empty;
        var cost = 0;
        var hosts = _hosts.Keys.Where(host => string.CompareOrdinal(host.Value, from) >= 0);
        foreach (var host in hosts.OrderBy(host => host.Value, StringComparer.Ordinal).ToList())
        {
            var row = host.Value == from && after is { Length: > 0 } ? after : null;
            cost++;
            while (row is not null || await HasFailed(host, reason, cancel))
            {
                var part = await GrainFactory.GetGrain<IHostGrain>(host.Value).Retry(_head!.Order, reason, row, cancel);
                retried = retried.Plus(part.Retried);
                cost += RetryCost;
                row = part.Next;
                if (row is null || cost >= MaxRetryCost)
                {
                    break;
                }
            }

            if (cost >= MaxRetryCost)
            {
                // Without a row, the host itself is done with: the next one follows its name.
                return new(retried, row is null ? $"{host.Value} /" : $"{host.Value}/{row}", Closed: null);
            }
        }

        return new(retried, Cursor: null, Closed: null);
    }

    /// <summary>
    /// Takes in some of the URLs of the crawl that is revisited, host by host in order of its rows there. Where it goes on is stored; taken
    /// in twice, they change nothing.
    /// </summary>
    private async Task Revisit()
    {
        for (var i = 0; i < RevisitsAtOnce && _head is { EndReason: null, RevisitFrom: { } from }; i++)
        {
            var next = await RevisitHost(_head.Order.Spec.Revisit!.Value, from);
            await Save(head => head with { RevisitFrom = next });
        }
    }

    /// <param name="from">Empty, or <c>{row of the host}/{key of its last URL}</c>; without a key, the host is done with.</param>
    /// <returns>The same for the next call; null at the end.</returns>
    private async Task<string?> RevisitHost(CrawlId earlier, string from)
    {
        var (last, after) = from.Split('/') is [var hostRow, var urlRow] ? (hostRow, urlRow) : ("", "");
        var all = KeyRange.Prefix(CrawlTable.HostPrefix);
        var range =
            after.Length > 0 ? all with { From = last }
            : last.Length > 0 ? all.After(last)
            : all;
        if (await store.Scan(CrawlTable.Name, CrawlTable.Crawl(earlier), range, take: 1) is not [var row])
        {
            return null;
        }

        var host = new HostKey(CrawlJson.Read<ListedHost>(row.Payload).Host);
        if (await Enlist([host], CancellationToken.None) is not { NotListed.IsEmpty: true } enlisted)
        {
            return $"{row.Key}/";
        }

        var next = await GrainFactory
            .GetGrain<IHostGrain>(host.Value)
            .Revisit(enlisted.Order, after.Length > 0 && row.Key == last ? after : null, CancellationToken.None);
        return $"{row.Key}/{next}";
    }

    /// <summary>The host's head says so: those that have no such URL need not come into memory.</summary>
    private async Task<bool> HasFailed(HostKey host, string? reason, CancellationToken cancel) =>
        await store.Get(CrawlTable.Name, CrawlTable.Urls(Id, host), PartitionWriter.HeadKey, cancel) is { } row
        && CrawlJson.Read<HostHead>(row.Payload) is { Failed: > 0 } head
        && (reason is null || head.Refused.ContainsKey(reason));
}
