using System.Collections.Immutable;
using Grains.Interfaces.Books;
using Orleans.Concurrency;

namespace Grains.Interfaces.Crawling;

/// <summary>
/// One crawl: what was asked, its state, its limits, its list of hosts. The key is a <see cref="CrawlId"/>. Not on the hot path.
/// </summary>
[Alias("crawling.ICrawlGrain")]
public interface ICrawlGrain : IGrainWithStringKey
{
    /// <summary>
    /// Begins the crawl, or wakes it: called by the crawl list when it starts, and again every few seconds. False once the crawl is at its
    /// end
    /// and needs no waking.
    /// </summary>
    [Alias("Begin")]
    Task<bool> Begin(CrawlSpec spec, DateTimeOffset at, CancellationToken cancel = default);

    /// <summary>The crawl at a glance; null when there is no such crawl.</summary>
    [Alias("Show")]
    Task<CrawlSummary?> Show(CancellationToken cancel = default);

    /// <summary>No new fetches are begun; those in flight end.</summary>
    [Alias("Pause")]
    Task<ControlReply> Pause(CancellationToken cancel = default);

    [Alias("Resume")]
    Task<ControlReply> Resume(CancellationToken cancel = default);

    /// <summary>For good: what waits is skipped, with the reason <c>cancelled</c>.</summary>
    [Alias("Cancel")]
    Task<ControlReply> Cancel(CancellationToken cancel = default);

    /// <summary>Cancels if need be, and removes everything that was kept of the crawl. What URL grains learned stays.</summary>
    [Alias("Delete")]
    Task<ControlReply> Delete(CancellationToken cancel = default);

    /// <summary>
    /// Lists hosts before they are given their first URL, and answers what hosts need to know of the crawl; null when the crawl takes no
    /// more.
    /// At most <see cref="MaxHosts"/> per crawl: the answer names those that were not listed.
    /// </summary>
    [Alias("Enlist")]
    Task<EnlistReply?> Enlist(ImmutableArray<HostKey> hosts, CancellationToken cancel = default);

    /// <summary>The listed hosts, in order of their keys, after <paramref name="after"/>.</summary>
    [Alias("Hosts")]
    Task<ImmutableArray<HostKey>> Hosts(HostKey? after, int take, CancellationToken cancel = default);

    /// <summary>
    /// How the listed hosts are asked, in order of their keys, after <paramref name="after"/>: 1 to <see cref="MaxHostStates"/>.
    /// </summary>
    [Alias("HostStates")]
    Task<ImmutableArray<HostState>> HostStates(HostKey? after, int take, CancellationToken cancel = default);

    /// <summary>
    /// Finished URLs, host by host: pass the last answer's cursor to go on, null to begin. The cursor is null at the end.
    /// </summary>
    [Alias("Export")]
    Task<ExportPage> Export(string? cursor, ExportKind kind, CancellationToken cancel = default);

    /// <summary>What became of a URL in this crawl, and why.</summary>
    [Alias("Explain")]
    Task<Explanation> Explain(string url, CancellationToken cancel = default);

    /// <summary>
    /// A part of what was fetched from a URL, from <paramref name="offset"/> of its body on. Interleaves: it reads rows and objects, and
    /// nothing of the activation but whether pages were removed.
    /// </summary>
    [AlwaysInterleave]
    [Alias("Page")]
    Task<PagePart> Page(string url, PageView view, long offset, CancellationToken cancel = default);

    /// <summary>
    /// The crawl's kept pages as one WARC file, part by part: pass the last answer's cursor to go on, null to begin. Interleaves as
    /// <see cref="Page"/> does.
    /// </summary>
    [AlwaysInterleave]
    [Alias("Archive")]
    Task<ArchivePart> Archive(string? cursor, CancellationToken cancel = default);

    /// <summary>
    /// Adds URLs to a crawl that runs or is paused, as seeds are: at most <see cref="CrawlSpec.MaxSeeds"/> in a call, durable when it
    /// answers. Those that are no URLs or out of scope are named in the answer and change nothing. While seeds of the crawl follow
    /// (<see cref="CrawlSpec.MoreSeeds"/>), each is a seed: it widens the scope.
    /// </summary>
    [Alias("Add")]
    Task<AddUrlsReply> Add(ImmutableArray<string> urls, CancellationToken cancel = default);

    /// <summary>No further seeds follow (<see cref="CrawlSpec.MoreSeeds"/>): the crawl ends when nothing is left to fetch.</summary>
    [Alias("EndSeeds")]
    Task<ControlReply> EndSeeds(CancellationToken cancel = default);

    /// <summary>
    /// Queues URLs that have failed, part by part: pass the last answer's cursor to go on, null to begin. Each gets as many tries as a new
    /// one. A crawl that is done goes on; one that was cancelled, or has all the pages it may have, does not. Called again after it was
    /// interrupted, it goes on with what has not been queued.
    /// </summary>
    /// <param name="reason">The word for the books with which they failed; null: any.</param>
    [Alias("Retry")]
    Task<RetryReply> Retry(string? reason, string? cursor, CancellationToken cancel = default);

    [Alias("Account")]
    Task<Account?> Account(CancellationToken cancel = default);

    const int MaxHosts = 100_000;

    const int MaxHostStates = 100;

    /// <summary>For so long a crawl waits for the next of its further seeds.</summary>
    static readonly TimeSpan SeedsTimeout = TimeSpan.FromMinutes(10);
}

/// <summary>Error is null when it was done (or had been before), else a sentence.</summary>
[GenerateSerializer, Immutable, Alias("crawling.ControlReply")]
public sealed record ControlReply([property: Id(0)] CrawlSummary? Crawl, [property: Id(1)] string? Error);

/// <summary>What became of URLs that were added to a crawl: each is new, known or refused.</summary>
/// <param name="New">Not known before.</param>
/// <param name="Known">Known before.</param>
/// <param name="Refused">No URLs, out of scope, or without room; the first are named in <paramref name="Errors"/>.</param>
/// <param name="Errors">At most <see cref="MaxErrors"/> sentences.</param>
/// <param name="Closed">The crawl takes no URLs, a sentence; null: it does.</param>
[GenerateSerializer, Immutable, Alias("crawling.AddUrlsReply")]
public sealed record AddUrlsReply(
    [property: Id(0)] int New,
    [property: Id(1)] int Known,
    [property: Id(2)] int Refused,
    [property: Id(3)] ImmutableArray<string> Errors,
    [property: Id(4)] string? Closed
)
{
    public const int MaxErrors = 10;
}

/// <summary>A part of the URLs that are tried again.</summary>
/// <param name="Retried">How many were queued, by the word for the books with which they had failed.</param>
/// <param name="Cursor">For the next part; null at the end.</param>
/// <param name="Closed">Why nothing of the crawl is tried again, a sentence; null: it may be.</param>
[GenerateSerializer, Immutable, Alias("crawling.RetryReply")]
public sealed record RetryReply(
    [property: Id(0)] ImmutableSortedDictionary<string, long> Retried,
    [property: Id(1)] string? Cursor,
    [property: Id(2)] string? Closed
)
{
    /// <summary>All parts from the first one on, added up; or the answer that says why nothing is tried again.</summary>
    /// <param name="ask">Asks for the part at a cursor: <see cref="ICrawlGrain.Retry"/>.</param>
    public static async Task<RetryReply> All(Func<string?, Task<RetryReply>> ask)
    {
        var retried = ImmutableSortedDictionary<string, long>.Empty;
        string? cursor = null;
        do
        {
            var part = await ask(cursor);
            if (part.Closed is not null)
            {
                return part;
            }

            foreach (var (reason, count) in part.Retried)
            {
                retried = retried.SetItem(reason, retried.GetValueOrDefault(reason) + count);
            }

            cursor = part.Cursor;
        } while (cursor is not null);
        return new(retried, Cursor: null, Closed: null);
    }
}

public enum ExportKind
{
    /// <summary>What was fetched, and what failed.</summary>
    Fetched,

    /// <summary>What was skipped too.</summary>
    All,
}

[GenerateSerializer, Immutable, Alias("crawling.ExportPage")]
public sealed record ExportPage([property: Id(0)] ImmutableArray<PageRecord> Records, [property: Id(1)] string? Cursor)
{
    /// <summary>
    /// Of each of <see cref="Records"/> the word for the books with which it failed or was skipped; null for what was fetched. Empty from
    /// an earlier version.
    /// </summary>
    [Id(2)]
    public ImmutableArray<string?> Reasons
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];
}

/// <summary>What is kept of a finished URL.</summary>
/// <param name="Url">Canonical.</param>
/// <param name="Status">HTTP status; null when no answer came.</param>
/// <param name="Depth">Steps from the seed by which it was first found; 0 is a seed.</param>
/// <param name="Parent">The page that first linked to it; null for a seed.</param>
/// <param name="Bytes">Of the body, after decompression.</param>
/// <param name="Digest">Of the body, <c>sha256:</c> and 64 hexadecimal digits; null when there was none.</param>
/// <param name="Links">How many different URLs the page links to, before scope.</param>
/// <param name="FetchedAt">When it was asked for. Where <paramref name="Status"/> is null nothing was fetched then.</param>
/// <param name="Location">Where a redirect led, canonical.</param>
/// <param name="Truncated">The body is not here whole: it was cut at the limit, ended early, or could not be decompressed.</param>
/// <param name="Error">Why it failed or was skipped, or what was wrong with an answer all the same, a sentence; else null.</param>
/// <param name="LeftOut">
/// How many links of the page were not followed though they are in scope, by the word for the books; null: none.
/// </param>
/// <param name="Walked">It was fetched for its links alone (<see cref="CrawlSpec.Walk"/>).</param>
/// <param name="Kept">Where its WARC records are; null when it was not kept.</param>
/// <param name="ETag">As the server wrote it, at most <see cref="MaxValidator"/> characters; null when there is none.</param>
/// <param name="LastModified">As the server wrote it, bounded likewise; null when there is none.</param>
/// <param name="Change">
/// In a crawl that revisits another one: <c>new</c>, <c>changed</c>, <c>unchanged</c> or <c>gone</c>; null in others, and of what was not
/// answered. A page that is answered by 304 has type, title, digest and links of the one that was fetched there.
/// </param>
[GenerateSerializer, Immutable, Alias("crawling.PageRecord")]
public sealed record PageRecord(
    [property: Id(0)] string Url,
    [property: Id(1)] int? Status,
    [property: Id(2)] int Depth,
    [property: Id(3)] string? Parent,
    [property: Id(4)] string? ContentType,
    [property: Id(5)] string? Title,
    [property: Id(6)] long Bytes,
    [property: Id(7)] string? Digest,
    [property: Id(8)] int Links,
    [property: Id(9)] DateTimeOffset FetchedAt,
    [property: Id(10)] long ElapsedMs,
    [property: Id(11)] int Attempts,
    [property: Id(12)] string? Location,
    [property: Id(13)] bool Truncated,
    [property: Id(14)] string? Error,
    [property: Id(15)] ImmutableSortedDictionary<string, long>? LeftOut = null,
    [property: Id(16)] KeptPage? Kept = null,
    [property: Id(17)] bool Walked = false,
    [property: Id(18)] string? ETag = null,
    [property: Id(19)] string? LastModified = null,
    [property: Id(20)] string? Change = null
)
{
    public const int MaxValidator = 1024;

    /// <summary>What was read out of it as the crawl asked; null when it asked for nothing, and where nothing was read.</summary>
    [Id(21)]
    public PageExtract? Extract { get; init; }

    /// <summary>How many crawls ago its content was fetched, when it was answered by 304 since; null: in this one.</summary>
    [Id(22)]
    public int? Unfetched { get; init; }

    /// <summary>
    /// Over which protocol the answer came, as ALPN names it: <c>http/1.0</c>, <c>http/1.1</c> or <c>h2</c>. Null: no answer came, or the
    /// row is of an earlier version.
    /// </summary>
    [Id(23)]
    public string? Protocol { get; init; }

    /// <summary>Cookies that went by its answer because of a bound (<see cref="HostSums.CookiesCut"/>); null: none.</summary>
    [Id(24)]
    public long? CookiesCut { get; init; }
}

/// <summary>What was read out of a page: fields by selector, and its text.</summary>
[GenerateSerializer, Immutable, Alias("crawling.PageExtract")]
public sealed record PageExtract
{
    public const string TextName = "text";

    /// <summary>Stands for what was asked (<see cref="CrawlSpec.Fields"/>, <see cref="CrawlSpec.Text"/>): alike where that was.</summary>
    [Id(0)]
    public required string Asked { get; init; }

    /// <summary>One for each field that was asked for, in that order.</summary>
    [Id(1)]
    public ImmutableArray<FieldValue> Fields
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];

    /// <summary>Null when it was not asked for, and of what is no text.</summary>
    [Id(2)]
    public string? Text { get; init; }

    /// <summary>What is not here whole, because a bound cut it off: <c>fields.NAME</c> or <see cref="TextName"/>.</summary>
    [Id(3)]
    public ImmutableArray<string> Cut
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];

    /// <summary>A field's name where it stands beside other members of a record.</summary>
    public static string NameOf(string field) => $"fields.{field}";
}

/// <param name="Values">None: nothing matches. Of a field that asks for the first match there is at most one.</param>
[GenerateSerializer, Immutable, Alias("crawling.FieldValue")]
public sealed record FieldValue([property: Id(0)] string Name, [property: Id(1)] ImmutableArray<string> Values);

/// <summary>Why a URL was or was not fetched: lines of a label and a text, in the order in which the crawler decides.</summary>
/// <param name="Url">Canonical form; null when the text is no http(s) URL.</param>
/// <param name="State"><c>fetched</c>, <c>failed</c>, <c>skipped</c>, <c>queued</c>, <c>in flight</c>, <c>out of scope</c>, <c>not
/// found</c> or <c>no url</c>.</param>
[GenerateSerializer, Immutable, Alias("crawling.Explanation")]
public sealed record Explanation(
    [property: Id(0)] string? Url,
    [property: Id(1)] string State,
    [property: Id(2)] ImmutableArray<ExplainLine> Lines
);

[GenerateSerializer, Immutable, Alias("crawling.ExplainLine")]
public readonly record struct ExplainLine([property: Id(0)] string Label, [property: Id(1)] string Text);
