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

    public required ImmutableArray<string> Seeds { get; init; }

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

    /// <summary>What is wrong by its form; the crawl list says what is wrong otherwise.</summary>
    public IReadOnlyList<Fault> TryRead(out CrawlSpec spec)
    {
        var faults = new List<Fault>();
        spec = new CrawlSpec { Seeds = Texts(Seeds, "seeds", faults), Name = Name };
        spec = spec with
        {
            Scope = Scope ?? spec.Scope,
            MaxPages = MaxPages,
            MaxDepth = MaxDepth,
            Delay = Duration(Delay, "delay", faults) ?? spec.Delay,
            Concurrency = Concurrency ?? spec.Concurrency,
            Parallel = Parallel ?? spec.Parallel,
            Include = Texts(Include ?? [], "include", faults),
            Exclude = Texts(Exclude ?? [], "exclude", faults),
            AllowPrivate = Texts(AllowPrivate ?? [], "allowPrivate", faults),
            Timeout = Duration(Timeout, "timeout", faults) ?? spec.Timeout,
            MaxBodyBytes = MaxBodyBytes ?? spec.MaxBodyBytes,
            Keep = Keep ?? spec.Keep,
            MaxKeptBytes = MaxKeptBytes ?? spec.MaxKeptBytes,
            Sitemaps = Sitemaps ?? spec.Sitemaps,
            Headers = Texts(Headers ?? [], "headers", faults),
            UserAgent = UserAgent,
            Contact = Contact,
            Credentials = Texts(Credentials ?? [], "credentials", faults),
            NoCookies = NoCookies ?? false,
            Accept = Texts(Accept ?? [], "accept", faults),
            Walk = Texts(Walk ?? [], "walk", faults),
            MaxPathDepth = MaxPathDepth ?? spec.MaxPathDepth,
            MaxRepeats = MaxRepeats ?? spec.MaxRepeats,
            DropParams = Texts(DropParams ?? [], "dropParams", faults),
            SortParams = SortParams ?? false,
            MoreSeeds = MoreSeeds ?? false,
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
    private static ImmutableArray<string> Texts(ImmutableArray<string> texts, string name, List<Fault> faults)
    {
        faults.AddRange(
            texts
                .Index()
                .Where(text => text.Item is null)
                .Select(text => new Fault($"\"{name}\" is a list of texts.", $"#/{name}/{text.Index}"))
        );
        return texts;
    }
}
