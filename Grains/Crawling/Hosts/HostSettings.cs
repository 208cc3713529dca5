using Grains.Crawling.Urls;

namespace Grains.Crawling.Hosts;

/// <summary>
/// What the silo's settings say of hosts: see the properties of the same names of <c>CrawlingOptions</c>, whose defaults these are.
/// </summary>
internal sealed record HostSettings
{
    public string ProductToken { get; init; } = "OrleansCrawler";

    public int Workers { get; init; } = 8;

    public int MaxUrlsPerHost { get; init; } = 5_000_000;

    public TimeSpan RobotsPatience { get; init; } = TimeSpan.FromMinutes(2);

    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(10);

    public OwnHosts OwnHosts { get; init; } = OwnHosts.None;
}
