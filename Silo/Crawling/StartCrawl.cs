using System.Collections.Immutable;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Values;
using Silo.Middleware;

namespace Silo.Crawling;

/// <summary>
/// A crawl as it is asked for over HTTP: the members of <see cref="CrawlSpec"/>, with durations as texts, <c>500ms</c>, <c>1s</c>,
/// <c>2m</c> or <c>0</c>. What is left out has its default.
/// </summary>
public sealed record StartCrawl
{
    /// <summary>Of the body that asks for it: a thousand seeds and their patterns have room.</summary>
    public const int MaxBytes = 256 * 1024;

    public ImmutableArray<string>? Seeds { get; init; }

    public string? Name { get; init; }

    public CrawlScope? Scope { get; init; }

    public long? MaxPages { get; init; }

    public int? MaxDepth { get; init; }

    public string? Delay { get; init; }

    public int? Concurrency { get; init; }

    public int? Parallel { get; init; }

    public ImmutableArray<string>? Include { get; init; }

    public ImmutableArray<string>? Exclude { get; init; }

    public ImmutableArray<string>? AllowPrivate { get; init; }

    public string? Timeout { get; init; }

    public int? MaxBodyBytes { get; init; }

    public KeepPages? Keep { get; init; }

    public long? MaxKeptBytes { get; init; }

    public SitemapUse? Sitemaps { get; init; }

    public ImmutableArray<string>? Headers { get; init; }

    public string? UserAgent { get; init; }

    public string? Contact { get; init; }

    public ImmutableArray<string>? Credentials { get; init; }

    public bool? NoCookies { get; init; }

    public ImmutableArray<string>? Accept { get; init; }

    public ImmutableArray<string>? Walk { get; init; }

    public int? MaxPathDepth { get; init; }

    public int? MaxRepeats { get; init; }

    public ImmutableArray<string>? DropParams { get; init; }

    public bool? SortParams { get; init; }

    public bool? MoreSeeds { get; init; }

    public ImmutableArray<string>? Fields { get; init; }

    public bool? Text { get; init; }

    public long? HostPages { get; init; }

    public long? HostBytes { get; init; }

    public string? HostTime { get; init; }

    public long? HostErrors { get; init; }

    public bool? FollowTraps { get; init; }

    public bool? PerIp { get; init; }

    public string? Proxy { get; init; }

    public bool? IgnoreRobots { get; init; }

    public string? Every { get; init; }

    /// <summary>
    /// The id or name of an earlier crawl whose URLs are fetched again. Then what is left out, seeds too, is as that crawl was asked.
    /// </summary>
    public string? Revisit { get; init; }

    /// <summary>What is wrong by its form; the crawl list says what is wrong otherwise.</summary>
    /// <param name="revisited">What the crawl that is revisited was asked for; null: none is.</param>
    public IReadOnlyList<Fault> TryRead(out CrawlSpec spec, CrawlSpec? revisited = null)
    {
        var faults = new List<Fault>();
        if (Seeds is null && revisited is null)
        {
            faults.Add(new("\"seeds\" is missing.", "#"));
        }

        spec = revisited ?? new CrawlSpec { Seeds = [] };
        spec = spec with
        {
            Seeds = Texts(Seeds, "seeds", faults) ?? spec.Seeds,
            Name = Name,
            Scope = Scope ?? spec.Scope,
            HostDomains = Scope is null && spec.HostDomains,
            MaxPages = MaxPages ?? spec.MaxPages,
            MaxDepth = MaxDepth ?? spec.MaxDepth,
            Delay = Duration(Delay, "delay", faults) ?? spec.Delay,
            Concurrency = Concurrency ?? spec.Concurrency,
            Parallel = Parallel ?? spec.Parallel,
            Include = Texts(Include, "include", faults) ?? spec.Include,
            Exclude = Texts(Exclude, "exclude", faults) ?? spec.Exclude,
            AllowPrivate = Texts(AllowPrivate, "allowPrivate", faults) ?? spec.AllowPrivate,
            Timeout = Duration(Timeout, "timeout", faults) ?? spec.Timeout,
            MaxBodyBytes = MaxBodyBytes ?? spec.MaxBodyBytes,
            Keep = Keep ?? spec.Keep,
            MaxKeptBytes = MaxKeptBytes ?? spec.MaxKeptBytes,
            Sitemaps = Sitemaps ?? spec.Sitemaps,
            Headers = Texts(Headers, "headers", faults) ?? spec.Headers,
            UserAgent = UserAgent ?? spec.UserAgent,
            Contact = Contact ?? spec.Contact,
            Credentials = Texts(Credentials, "credentials", faults) ?? spec.Credentials,
            NoCookies = NoCookies ?? spec.NoCookies,
            Accept = Texts(Accept, "accept", faults) ?? spec.Accept,
            Walk = Texts(Walk, "walk", faults) ?? spec.Walk,
            MaxPathDepth = MaxPathDepth ?? spec.MaxPathDepth,
            MaxRepeats = MaxRepeats ?? spec.MaxRepeats,
            DropParams = Texts(DropParams, "dropParams", faults) ?? spec.DropParams,
            SortParams = SortParams ?? spec.SortParams,
            MoreSeeds = MoreSeeds ?? spec.MoreSeeds,
            Fields = Texts(Fields, "fields", faults) ?? spec.Fields,
            Text = Text ?? spec.Text,
            HostPages = HostPages ?? spec.HostPages,
            HostBytes = HostBytes ?? spec.HostBytes,
            HostTime = Duration(HostTime, "hostTime", faults) ?? spec.HostTime,
            HostErrors = HostErrors ?? spec.HostErrors,
            FollowTraps = FollowTraps ?? spec.FollowTraps,
            PerIp = PerIp ?? spec.PerIp,
            Proxy = Proxy ?? spec.Proxy,
            IgnoreRobots = IgnoreRobots ?? spec.IgnoreRobots,
            Every = Duration(Every, "every", faults),
            RoundOf = null,
        };
        return faults;
    }

    private static TimeSpan? Duration(string? text, string name, List<Fault> faults)
    {
        if (text is null)
        {
            return null;
        }

        if (Durations.TryParse(text, out var duration))
        {
            return duration;
        }

        faults.Add(new($"\"{name}\" is a duration such as 500ms, 1s, 2m or 0; this is \"{text}\".", $"#/{name}"));
        return null;
    }

    /// <summary>JSON lets a null stand where a text should.</summary>
    private static ImmutableArray<string>? Texts(ImmutableArray<string>? texts, string name, List<Fault> faults)
    {
        faults.AddRange(
            (texts ?? [])
                .Index()
                .Where(text => text.Item is null)
                .Select(text => new Fault($"\"{name}\" is a list of texts.", $"#/{name}/{text.Index}"))
        );
        return texts;
    }
}
