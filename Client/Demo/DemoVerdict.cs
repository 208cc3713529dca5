using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;

namespace Client.Demo;

/// <summary>
/// What is known when the crawl has ended, from three sides: the crawl's own records, the books, and the site that was crawled.
/// </summary>
/// <param name="Records">The export with what was skipped.</param>
/// <param name="Kills">How often the silo was killed.</param>
/// <param name="Sales">What went into the log meanwhile.</param>
/// <param name="Order">What became of the order.</param>
internal sealed record DemoEvidence(
    Bookshop Shop,
    Uri Url,
    CrawlSummary Crawl,
    ImmutableArray<PageRecord> Records,
    ImmutableArray<Account> Accounts,
    ShopLedger Seen,
    int Kills,
    TimeSpan Elapsed,
    SalesLedger Sales,
    OrderEvidence Order
);

/// <summary>Whether the evidence adds up; one JSON object.</summary>
/// <param name="Problems">A sentence each; none when all is well.</param>
/// <param name="Statuses">Pages by HTTP status.</param>
/// <param name="Repeated">Requests beyond one per URL, the one that was answered with 503 left out.</param>
/// <param name="RepeatedAtMost">Kills × concurrency: what was in flight may be asked for again.</param>
internal sealed record DemoVerdict(
    bool Ok,
    ImmutableArray<string> Problems,
    string Id,
    int Pages,
    int PagesOnSite,
    ImmutableSortedDictionary<string, int> Statuses,
    int Skipped,
    int Requests,
    int Repeated,
    int RepeatedAtMost,
    double? SmallestGapMs,
    int Kills,
    double ElapsedSeconds,
    SalesLedger Sales,
    OrderEvidence Order,
    ImmutableArray<AccountForm> Ledger
)
{
    [JsonIgnore]
    public ImmutableArray<Account> Accounts { get; private init; } = [];

    public static DemoVerdict Of(DemoEvidence evidence)
    {
        var (shop, url, crawl, records, accounts, seen, kills, elapsed, sales, order) = evidence;
        var fetched = records.Where(record => record.Status is not null).ToArray();
        var repeatedAtMost = kills * crawl.Spec.Concurrency;
        var repeated = seen.Requests.Sum(path => Math.Max(0, path.Value - (path.Key == Bookshop.Till ? 2 : 1)));
        var problems = Wrongs(evidence, fetched, repeated, repeatedAtMost).ToImmutableArray();
        return new(
            problems.IsEmpty,
            problems,
            crawl.Id.ToString(),
            fetched.Length,
            shop.Paths.Count,
            fetched
                .GroupBy(record => record.Status!.Value.ToString(CultureInfo.InvariantCulture))
                .ToImmutableSortedDictionary(status => status.Key, status => status.Count(), StringComparer.Ordinal),
            records.Length - fetched.Length,
            seen.Requests.Values.Sum() + seen.Strays,
            repeated,
            repeatedAtMost,
            seen.SmallestGap?.TotalMilliseconds is { } gap ? Math.Round(gap, 1) : null,
            kills,
            Math.Round(elapsed.TotalSeconds, 1),
            sales,
            order,
            [.. accounts.Select(AccountForm.Of)]
        )
        {
            Accounts = accounts,
        };
    }

    private static IEnumerable<string> Wrongs(DemoEvidence evidence, PageRecord[] fetched, int repeated, int repeatedAtMost)
    {
        var (shop, url, crawl, records, accounts, seen, _, _, sales, order) = evidence;
        if (crawl.State != CrawlState.Done)
        {
            yield return $"The crawl should be done, and is {crawl.State}.";
        }

        foreach (var twice in records.GroupBy(record => record.Url, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            yield return $"The export lists {twice.Key} {twice.Count()} times.";
        }

        var expected = shop.Paths.Select(path => new Uri(url, path).AbsoluteUri).ToHashSet(StringComparer.Ordinal);
        var found = fetched.Select(record => record.Url).ToHashSet(StringComparer.Ordinal);
        foreach (var missing in expected.Except(found, StringComparer.Ordinal))
        {
            yield return $"The export lacks {missing}.";
        }

        foreach (var strange in found.Except(expected, StringComparer.Ordinal))
        {
            yield return $"The export has {strange}, which the site does not.";
        }

        foreach (var record in fetched)
        {
            if (
                Uri.TryCreate(record.Url, UriKind.Absolute, out var at)
                && shop.Open(at.AbsolutePath) is { } page
                && page.Status != record.Status
            )
            {
                yield return $"{record.Url} has status {record.Status} in the export; the site answers {page.Status}.";
            }
        }

        if (shop.Forbidden.Any(seen.Requests.ContainsKey))
        {
            yield return "The site was asked for pages that its robots.txt forbids.";
        }

        if (crawl.Skipped != shop.Forbidden.Count)
        {
            yield return $"{shop.Forbidden.Count} URLs should be skipped for robots.txt; {crawl.Skipped} were skipped.";
        }

        if (repeated > repeatedAtMost)
        {
            yield return $"The site was asked {repeated} times for what it had answered; at most {repeatedAtMost} requests were "
                + $"in flight when the silo died.";
        }

        if (crawl.Spec.Concurrency == 1 && seen.SmallestGap < crawl.Spec.Delay)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"Two requests arrived {seen.SmallestGap.Value.TotalMilliseconds:0} ms apart; at least "
                    + $"{crawl.Spec.Delay.TotalMilliseconds:0} ms were asked for."
            );
        }

        if (sales.Different < sales.Acknowledged)
        {
            yield return $"{sales.Acknowledged} sales were acknowledged, and the log has {sales.Different} of them.";
        }

        if (sales.Stored != sales.Different || sales.Different > sales.Sent)
        {
            yield return $"{sales.Sent} sales were sent, and the log has {sales.Stored}, of which {sales.Different} are different.";
        }

        if (!order.Steps.SequenceEqual(OrderEvidence.Expected))
        {
            yield return $"The watch should tell {string.Join(", ", OrderEvidence.Expected)}; it told {string.Join(", ", order.Steps)}.";
        }

        if (!order.AuditHolds || order.Proven != OrderEvidence.Expected.Length)
        {
            yield return $"The audit {(order.AuditHolds ? "holds" : "does not hold")}, and proves {order.Proven} of "
                + $"{OrderEvidence.Expected.Length} entries of order {order.Id}.";
        }

        if (order.Mails is { } mails && mails != OrderEvidence.Expected.Length)
        {
            yield return $"There should be a mail of each of the order's {OrderEvidence.Expected.Length} changes; there are {mails}.";
        }

        if (order.Hook is { } told && (told.Changes.Count != OrderEvidence.Expected.Length || told.Wrong > 0))
        {
            yield return $"The webhook should tell {OrderEvidence.Expected.Length} changes with good signatures; it told "
                + $"{told.Changes.Count}, and {told.Wrong} with wrong ones.";
        }

        foreach (var lost in order.Deliveries.Where(delivery => !delivery.EndsWith(" delivered", StringComparison.Ordinal)))
        {
            yield return $"Not delivered: {lost}.";
        }

        if (accounts.IsEmpty)
        {
            yield return "The books are empty.";
        }

        foreach (var account in accounts.Where(account => !account.Balances))
        {
            yield return $"The account {account.System} {account.Name} does not balance.";
        }
    }
}
