using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Grains.Crawling.Fetching;
using Grains.Crawling.Hosts;
using Grains.Crawling.Specs;
using Grains.Crawling.Urls;
using Grains.Net;

namespace Grains.Crawling;

/// <summary>What is set from outside for crawling, for the whole silo. What belongs to one crawl is in its <c>CrawlSpec</c>.</summary>
public sealed class CrawlingOptions
{
    public const string Section = "Crawling";

    private static readonly HostSettings s_hosts = new();

    [Description(
        "Private address ranges (CIDR, comma-separated) that crawls may connect to, for tests and intranets. None by default: "
            + "loopback, private, link-local and metadata addresses are refused where the connection is made."
    )]
    [AddressRangesSetting]
    public string AllowPrivate { get; set; } = "";

    [Description("Product token sent to servers and looked up in robots.txt: letters, \"-\" and \"_\" only.")]
    [RegularExpression(
        "^[A-Za-z_-]{1,40}$",
        ErrorMessage = "Crawling:ProductToken has 1 to 40 letters, \"-\" and \"_\" (RFC " + "9309 §2.2.1)."
    )]
    public string ProductToken { get; set; } = s_hosts.ProductToken;

    [Description(
        "Where the owner of a site finds out who crawls: appended to the User-Agent header as (+URL). Empty: nothing is appended."
    )]
    public string ContactUrl { get; set; } = "";

    [Description("Crawl workers in the cluster. Stored at the first start; another number later stops the silo.")]
    [Range(1, 1024)]
    public int Workers { get; set; } = s_hosts.Workers;

    [Description("Fetches that one worker has in flight at most. More uses more memory: each may hold a body.")]
    [Range(1, 1024)]
    public int FetchesPerWorker { get; set; } = 64;

    [Description(
        "URLs that one host keeps for one crawl at most, 16 bytes of memory each while the host is active. What comes after is "
            + "refused as host-full."
    )]
    [Range(1, 100_000_000)]
    public int MaxUrlsPerHost { get; set; } = s_hosts.MaxUrlsPerHost;

    [Description("How often a temporary failure is tried in all, the first time included.")]
    [Range(1, 10)]
    public int Attempts { get; set; } = 3;

    [Description(
        "Wait before the second try; it doubles with each further one, with a jitter of a fifth. A Retry-After of the server wins."
    )]
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    [Description(
        "How long a robots.txt that cannot be reached is asked for again, after RetryDelay and then twice as long each time. "
            + "The URLs of its host wait; when a try fails after this time, they fail."
    )]
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan RobotsPatience { get; set; } = s_hosts.RobotsPatience;

    [Description("The longest Retry-After, back-off and Crawl-delay that is waited for.")]
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan MaxDelay { get; set; } = s_hosts.MaxDelay;

    [Description("How long the pages of a crawl are kept after its end; its rows stay. 0: until the crawl is deleted.")]
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan KeepPagesFor { get; set; }

    [Description(
        "The last rounds of a crawl with --every whose pages can be read; when the next one begins, older ones are deleted, except the 16 "
            + "before these, where pages are stored that have not changed since. 0: none is deleted."
    )]
    [Range(0, 10_000)]
    public int KeepRounds { get; set; }

    [Description(
        "Proxies that a crawl may choose from with --proxy NAME: NAME=URL between commas, the URL http or socks5, with user and password "
            + "where the proxy wants them. Each silo needs the same names. Give passwords by an environment variable: nothing shows them."
    )]
    [ProxiesSetting, PasswordPropertyText(true)]
    public string Proxies { get; set; } = "";

    [Description(
        "Hosts of your own, between commas: HOST, HOST:PORT, or *.DOMAIN for each host below. Their certificates are not checked, and "
            + "crawls with --ignore-robots pass over their robots.txt. Private addresses need AllowPrivate all the same."
    )]
    [OwnHostsSetting]
    public string OwnHosts { get; set; } = "";

    /// <summary>
    /// Set by the host from where the silo listens, not from outside: whether a crawl's own private ranges count by themselves.
    /// </summary>
    internal bool ListensOnLoopback { get; set; }

    /// <summary>With those in which pages of the last <see cref="KeepRounds"/> may be stored; null: all.</summary>
    internal int? RoundsKept => KeepRounds == 0 ? null : KeepRounds + PageChange.MaxUnfetched;

    internal HostSettings OfHosts =>
        new()
        {
            ProductToken = ProductToken,
            Workers = Workers,
            MaxUrlsPerHost = MaxUrlsPerHost,
            RobotsPatience = RobotsPatience,
            MaxDelay = MaxDelay,
            OwnHosts = OwnHostList,
        };

    internal SiloLimits OfSpecs =>
        new()
        {
            AllowPrivate = AllowPrivate,
            ListensOnLoopback = ListensOnLoopback,
            Proxies = ProxyList.TryParse(Proxies, out var proxies)
                ? proxies
                : throw new FormatException(new ProxiesSettingAttribute().FormatErrorMessage($"{Section}:{nameof(Proxies)}")),
            OwnHosts = OwnHostList,
        };

    private OwnHosts OwnHostList =>
        Urls.OwnHosts.TryParse(OwnHosts, out var hosts)
            ? hosts
            : throw new FormatException(new OwnHostsSettingAttribute().FormatErrorMessage($"{Section}:{nameof(OwnHosts)}"));

    internal FetchSettings OfFetches => new(ProductToken, ContactUrl, OfSpecs);
}
