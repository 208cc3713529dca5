using Grains.Crawling.Urls;
using Grains.Net;

namespace Grains.Crawling.Specs;

/// <summary>What the silo's settings let a crawl ask for.</summary>
public sealed record SiloLimits
{
    /// <summary>Private address ranges that crawls may connect to (CIDR, comma-separated).</summary>
    public string AllowPrivate { get; init; } = "";

    /// <summary>Every endpoint of the silo is on loopback: then a crawl's own private ranges count by themselves.</summary>
    public bool ListensOnLoopback { get; init; }

    /// <summary>The proxies that a crawl may choose from.</summary>
    public ProxyList Proxies { get; init; } = ProxyList.None;

    /// <summary>Hosts whose certificates are not checked, and whose robots.txt a crawl may ignore.</summary>
    public OwnHosts OwnHosts { get; init; } = OwnHosts.None;
}
