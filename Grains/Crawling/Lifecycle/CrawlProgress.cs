using Grains.Crawling.Rows;
using Grains.Interfaces.Books;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Lifecycle;

/// <summary>
/// How far a crawl is, as the last round over its hosts found it. It is at its end when two rounds in a row find that all that came in is
/// finished, with the same sums: then nothing was on its way between hosts while one was asked after the other.
/// </summary>
internal sealed class CrawlProgress
{
    private HostSums? _balancedBefore;
    private int _adding;

    public HostSums Sums { get; private set; } = HostTotals.Zero;

    /// <summary>What whoever looks at the crawl should know, a sentence; null: nothing.</summary>
    public string? Note { get; private set; }

    /// <summary>A round was made since the activation began, or since URLs were tried again.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>When seeds came last, as far as this activation knows.</summary>
    public DateTimeOffset SeededAt { get; set; }

    /// <summary>URLs have failed, with this word for the books; null: any.</summary>
    public bool HasFailed(string? reason) => Sums.Failed > 0 && (reason is null || Sums.Refused.ContainsKey(reason));

    /// <summary>What a crawl that has ended was told to keep.</summary>
    public void Restore(HostSums? sums) => Sums = sums ?? Sums;

    public void OnPulled(HostSums total)
    {
        Sums = total;
        IsKnown = true;
        Note = total.Note;
    }

    public void OnFailed(Exception error) => Note = $"The last round over the hosts failed: {error.Message}";

    public void OnEnded(HostSums total)
    {
        Sums = total;
        Note = null;
    }

    public void WaitsForSeeds(CrawlId id, DateTimeOffset until) =>
        Note ??= $"It waits for further seeds until {until.UtcDateTime:u}: crawl add {id} --from FILE --last.";

    /// <summary>A call brings URLs to hosts: while there is one, the crawl does not end for want of URLs.</summary>
    public void BeginAdding() => _adding++;

    /// <summary>The call has ended; what it brought is in no sums yet.</summary>
    public void EndAdding()
    {
        _adding--;
        Unbalance();
    }

    /// <summary>What the last round found counts no more.</summary>
    public void Unbalance() => _balancedBefore = null;

    /// <summary>Whoever looks next is shown a new round.</summary>
    public void Forget() => IsKnown = false;

    /// <summary>The last round found that all that came in is finished, and nobody brings more.</summary>
    public bool IsBalanced => Sums.Waiting == 0 && Sums.Added == Sums.Done + Sums.Refused.Values.Sum() && _adding == 0;

    /// <summary>True when the round before found the same: the crawl is at its end.</summary>
    /// <param name="isBalanced">The last round found that nothing is left to do.</param>
    public bool Confirm(bool isBalanced)
    {
        if (isBalanced && _balancedBefore is { } before && before.Added == Sums.Added && before.Done == Sums.Done)
        {
            return true;
        }

        _balancedBefore = isBalanced ? Sums : null;
        return false;
    }

    /// <summary>The crawl at a glance, its rounds apart; null when there is none.</summary>
    public CrawlSummary? Summary(CrawlHead? head, int hosts, DateTimeOffset now) =>
        head is null
            ? null
            : new(
                head.Order.Id,
                head.Order.Spec.Name,
                head.Order.State,
                head.Order.Spec,
                Sums.Added,
                Sums.Done,
                Sums.Failed,
                Sums.Refused.Values.Sum() - Sums.Failed,
                Sums.Waiting,
                hosts,
                Sums.Bytes,
                head.StartedAt,
                head.EndedAt,
                CrawlLifecycle.Ran(head, now),
                Note
            )
            {
                Reasons = Sums.Refused,
                Truncated = Sums.Truncated,
                Redirects = Sums.Redirects,
                Cut = Sums.Cut,
                CookiesCut = Sums.CookiesCut,
                Traps = Sums.Traps,
                Changes = Sums.Changes,
                Seeds = head.Seeds,
                Kept =
                    Sums.ToKeep == 0
                        ? null
                        : new(Sums.ToKeep, head.PagesRemovedAt is null ? Sums.Kept : 0, Sums.KeptBytes, Sums.NotKept, head.PagesRemovedAt),
            };

    /// <param name="bound">URLs that may wait.</param>
    public Account Account(long bound) =>
        new("crawling", "urls", Sums.Added, Sums.Done, Sums.Refused, Sums.Waiting, bound, "refused as host-full, and counted");
}
