using System.Collections.Immutable;

namespace Grains.Interfaces.Crawling;

/// <summary>Which of the URLs that are found belong to the crawl.</summary>
public enum CrawlScope
{
    /// <summary>Those on the host (and port) of a seed. The default.</summary>
    Host,

    /// <summary>
    /// Those on the registrable domain of a seed's host, by the Public Suffix List, or on a host below it: the seed
    /// <c>docs.example.co.uk</c> takes <c>example.co.uk</c> and <c>shop.example.co.uk</c> too.
    /// </summary>
    Domain,

    /// <summary>Those that start with a seed's URL up to its last slash.</summary>
    Prefix,

    /// <summary>All. Set a limit.</summary>
    Any,
}

/// <summary>What a crawl does with the sitemaps that a host's robots.txt names.</summary>
public enum SitemapUse
{
    /// <summary>URLs are found in sitemaps and in links. The default.</summary>
    Also,

    /// <summary>URLs are found in sitemaps alone; without a line in robots.txt, <c>/sitemap.xml</c> is tried. Seeds are fetched.</summary>
    Only,

    /// <summary>Sitemaps are not asked for.</summary>
    No,
}

/// <summary>What somebody asked to be crawled, and how. Texts are as they were typed; the crawl list checks them.</summary>
/// <remarks>A list that a row or a message of an earlier version lacks is empty.</remarks>
[GenerateSerializer, Immutable, Alias("crawling.CrawlSpec")]
public sealed record CrawlSpec
{
    /// <summary>1 to <see cref="MaxSeeds"/> http or https URLs; <see cref="MoreSeeds"/> announces others.</summary>
    [Id(0)]
    public required ImmutableArray<string> Seeds
    {
        get => field.IsDefault ? [] : field;
        init;
    }

    /// <summary>1 to 60 characters of letters, digits and <c>._-</c>, unique among the crawls that are kept. Null: the id alone.</summary>
    [Id(1)]
    public string? Name { get; init; }

    [Id(2)]
    public CrawlScope Scope { get; init; } = CrawlScope.Host;

    /// <summary>At most this many pages are fetched, answers that redirect not counted; null: no limit.</summary>
    [Id(3)]
    public long? MaxPages { get; init; }

    /// <summary>
    /// Links are followed this many steps from a seed; null: no limit. 0 fetches the seeds alone. A redirect is no step.
    /// </summary>
    [Id(4)]
    public int? MaxDepth { get; init; }

    /// <summary>
    /// Between two requests to one host: from the end of the one with concurrency 1, from its start with more. A longer Crawl-delay of
    /// robots.txt wins.
    /// </summary>
    [Id(5)]
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Requests to one host at once, 1 to 256.</summary>
    [Id(6)]
    public int Concurrency { get; init; } = 1;

    /// <summary>Requests of the crawl at once, over all hosts and silos, 1 to 1,024.</summary>
    [Id(7)]
    public int Parallel { get; init; } = 64;

    /// <summary>
    /// If there are any, a URL must match one: a glob over the whole URL (<c>*</c> any characters, <c>?</c> one), or a regular expression
    /// between slashes.
    /// </summary>
    [Id(8)]
    public ImmutableArray<string> Include
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];

    /// <summary>A URL that matches one is out, whatever <see cref="Include"/> says.</summary>
    [Id(9)]
    public ImmutableArray<string> Exclude
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];

    /// <summary>Private address ranges (CIDR) that this crawl may connect to, within what the silo allows.</summary>
    [Id(10)]
    public ImmutableArray<string> AllowPrivate
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];

    /// <summary>For one fetch, from the connection to the last byte. 1 s to 5 min.</summary>
    [Id(11)]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Of one body, also after decompression. What is longer is cut, and the record says so.</summary>
    [Id(12)]
    public int MaxBodyBytes { get; init; } = 10 * 1024 * 1024;

    /// <summary>Which answers are kept whole.</summary>
    [Id(13)]
    public KeepPages Keep { get; init; } = KeepPages.Html;

    /// <summary>
    /// Bytes of kept pages, compressed. Once there are as many, only rows are written, and the pages not kept are counted. Over several
    /// hosts, pages that are in flight at that moment may still come in.
    /// </summary>
    [Id(14)]
    public long MaxKeptBytes { get; init; } = 2L * 1024 * 1024 * 1024;

    [Id(15)]
    public SitemapUse Sitemaps { get; init; } = SitemapUse.Also;

    /// <summary>Header fields, <c>Name: value</c>, for the origins of the seeds. Secret: nothing shows more than their names.</summary>
    [Id(16)]
    public ImmutableArray<string> Headers
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>
    /// The User-Agent field; null: the silo's. Rules of robots.txt are looked up by the silo's product token all the same.
    /// </summary>
    [Id(17)]
    public string? UserAgent { get; init; }

    /// <summary>A URL or mail address for the owners of sites, appended to the silo's User-Agent; null: the silo's.</summary>
    [Id(18)]
    public string? Contact { get; init; }

    /// <summary>
    /// <c>HOST=USER:PASSWORD</c> (Basic) or <c>HOST=bearer:TOKEN</c>, each for one host. Secret: nothing shows more than the hosts.
    /// </summary>
    [Id(19)]
    public ImmutableArray<string> Credentials
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>Cookies are not kept and not sent.</summary>
    [Id(20)]
    public bool NoCookies { get; init; }

    /// <summary>
    /// Media types that are fetched, such as <c>text/html</c> or <c>image/*</c>; empty: all. Of another the body is not read, and the URL
    /// is skipped as <c>not-accepted</c>.
    /// </summary>
    [Id(21)]
    public ImmutableArray<string> Accept
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>
    /// Patterns as in <see cref="Include"/>. A URL that matches one and none of those is fetched for its links alone: it is not kept, and
    /// an export has it only with what was skipped.
    /// </summary>
    [Id(22)]
    public ImmutableArray<string> Walk
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>Segments of a path; a link with more is counted as <c>path-depth</c>. 0: no limit.</summary>
    [Id(23)]
    public int MaxPathDepth { get; init; } = 50;

    /// <summary>How often one segment may be in a path; a link with more is counted as <c>repeated-segments</c>. 0: no limit.</summary>
    [Id(24)]
    public int MaxRepeats { get; init; } = 3;

    /// <summary>Names of query parameters that are taken out of links, with <c>*</c> and <c>?</c>: <c>utm_*</c>.</summary>
    [Id(25)]
    public ImmutableArray<string> DropParams
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>Query parameters of links are sorted by name, those of one name in their order.</summary>
    [Id(26)]
    public bool SortParams { get; init; }

    /// <summary>
    /// Further seeds follow by <see cref="ICrawlGrain.Add"/>, and widen the scope as seeds do, except for <see cref="CrawlScope.Prefix"/>.
    /// The crawl does not end for want of URLs before <see cref="ICrawlGrain.EndSeeds"/>, or before
    /// <see cref="ICrawlGrain.SeedsTimeout"/> has passed without one.
    /// </summary>
    [Id(27)]
    public bool MoreSeeds { get; init; }

    /// <summary>
    /// An earlier crawl whose URLs are fetched again, beside what is found anew; null: none. What has an ETag or a Last-Modified there is
    /// asked for with it, and each page says how it stands to the one there (<see cref="PageRecord.Change"/>).
    /// </summary>
    [Id(28)]
    public CrawlId? Revisit { get; init; }

    /// <summary>
    /// By <see cref="CrawlScope.Domain"/>, a seed's own host stands for its domain: so it was in versions without the Public Suffix List,
    /// and so it stays for their crawls.
    /// </summary>
    [Id(29)]
    public bool HostDomains { get; init; }

    /// <summary>
    /// What is read out of HTML pages: <c>NAME=SELECTOR</c> for the first element that a CSS selector matches, <c>NAME[]=SELECTOR</c> for
    /// each, with <c>@ATTRIBUTE</c> at the end for an attribute in place of its text. See <see cref="PageRecord.Extract"/>.
    /// </summary>
    [Id(30)]
    public ImmutableArray<string> Fields
    {
        get;
        init => field = value.IsDefault ? [] : value;
    } = [];

    /// <summary>The text of pages in reading order is in their records.</summary>
    [Id(31)]
    public bool Text { get; init; }

    /// <summary>
    /// Pages that are fetched of one host, redirects not counted; then what waits there is refused as <c>host-pages</c>. Null: no limit.
    /// </summary>
    [Id(32)]
    public long? HostPages { get; init; }

    /// <summary>
    /// Bytes of bodies that are fetched of one host, and what is in flight then; the rest is refused as <c>host-bytes</c>. Null: no limit.
    /// </summary>
    [Id(33)]
    public long? HostBytes { get; init; }

    /// <summary>
    /// For so long from its first page on one host is asked, a pause included; the rest is refused as <c>host-time</c>. Null: no limit.
    /// </summary>
    [Id(34)]
    public TimeSpan? HostTime { get; init; }

    /// <summary>
    /// URLs of one host that may fail; once as many have, the rest is refused as <c>host-errors</c>. Null: no limit.
    /// </summary>
    [Id(35)]
    public long? HostErrors { get; init; }

    /// <summary>
    /// The crawl is made again so long after it began, as a crawl of its own that revisits it, and that one again; null: it is not. A round
    /// begins when the one before has ended, and at the earliest when its time has come.
    /// </summary>
    [Id(36)]
    public TimeSpan? Every { get; init; }

    /// <summary>The first of the rounds of which this crawl is one; null: it is the first, or there are no rounds.</summary>
    [Id(37)]
    public CrawlId? RoundOf { get; init; }

    /// <summary>Calendars and facets without end are asked like other pages.</summary>
    [Id(38)]
    public bool FollowTraps { get; init; }

    /// <summary>
    /// The proxy of the silo's <c>Crawling:Proxies</c> that is asked in place of the hosts; null: none. Its address and credentials are
    /// the silo's own.
    /// </summary>
    [Id(39)]
    public string? Proxy { get; init; }

    /// <summary>
    /// On the hosts of the silo's <c>Crawling:OwnHosts</c>, and on no other, URLs are fetched whatever robots.txt says of them.
    /// </summary>
    [Id(40)]
    public bool IgnoreRobots { get; init; }

    /// <summary>
    /// The delay holds per address of a server too: hosts with the same one take turns (<see cref="IAddressGrain"/>). A host where one
    /// crawl asks so takes turns for all its crawls.
    /// </summary>
    [Id(41)]
    public bool PerIp { get; init; }

    public const int MaxSeeds = 1000;

    public const int MaxPatterns = 100;
}
