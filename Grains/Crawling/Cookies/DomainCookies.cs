using System.Collections.Immutable;
using Grains.Crawling.Rows;
using Grains.Crawling.Sessions;
using Grains.Crawling.Urls;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Cookies;

/// <summary>
/// The cookies with a <c>Domain</c>: a jar per crawl and registrable domain, which the crawl's hosts of that domain share. A jar is a row
/// that any worker replaces by its etag; beside it are the hosts that read it.
/// </summary>
/// <remarks>
/// No cookie is missed: a host puts its row before it reads the jar, and a worker writes the jar before it looks for the hosts to tell.
/// </remarks>
public sealed class DomainCookies(ITableStore store)
{
    /// <summary>How often a jar is read again because somebody else wrote it meanwhile.</summary>
    private const int MaxAttempts = 20;

    /// <summary>The domain whose jar a host shares; null: an address or a public suffix shares none.</summary>
    public static string? DomainOf(HostKey host) => PublicSuffixes.RegistrableDomain(UrlHost.NameOf(host));

    /// <summary>The jar for a host of the crawl, which is told of what comes into it from now on.</summary>
    public async Task<CookieJarRow> Join(CrawlId crawl, HostKey host, CancellationToken cancel = default)
    {
        if (DomainOf(host) is not { } domain)
        {
            return CookieJarRow.Empty;
        }

        var partition = CrawlTable.Cookies(crawl, domain);
        var key = CrawlTable.HostPrefix + StoreLimits.HashKey(host.Value);
        if (await store.Get(CrawlTable.Name, partition, key, cancel) is null)
        {
            var joined = await store.Commit(
                CrawlTable.Name,
                partition,
                [RowChange.Put(key, CrawlJson.Write(new ListedHost(host.Value, Allowance: null)))],
                cancel
            );
            if (joined.Outcome != CommitOutcome.Committed)
            {
                throw new PartitionLostException(CrawlTable.Name, partition, joined);
            }
        }

        return await Read(crawl, host, cancel);
    }

    /// <summary>The jar of a host's domain as it is now.</summary>
    public async Task<CookieJarRow> Read(CrawlId crawl, HostKey host, CancellationToken cancel = default) =>
        DomainOf(host) is { } domain
        && await store.Get(CrawlTable.Name, CrawlTable.Cookies(crawl, domain), CrawlTable.JarKey, cancel) is { } row
            ? CrawlJson.Read<CookieJarRow>(row.Payload)
            : CookieJarRow.Empty;

    /// <summary>
    /// Sets cookies, durably when it answers with the jar after that, and with how many went because the jar was full. Who sets them again
    /// because it heard no answer does not hear of these a second time.
    /// </summary>
    /// <exception cref="PartitionLostException">The store did not say that it has them; doing it again changes nothing.</exception>
    public async Task<(CookieJarRow Jar, int Cut)> Set(
        CrawlId crawl,
        string domain,
        ImmutableArray<StoredCookie> cookies,
        DateTimeOffset now,
        CancellationToken cancel = default
    )
    {
        var partition = CrawlTable.Cookies(crawl, domain);
        for (var attempt = 1; ; attempt++)
        {
            var row = await store.Get(CrawlTable.Name, partition, CrawlTable.JarKey, cancel);
            var jar = row is null ? CookieJarRow.Empty : CrawlJson.Read<CookieJarRow>(row.Payload);
            var after = CookieJar.After(jar.Cookies, cookies, now, out var cut);
            if (after.ToHashSet().SetEquals(jar.Cookies))
            {
                return (jar, Cut: 0);
            }

            var next = new CookieJarRow(jar.Version + 1, after);
            var payload = CrawlJson.Write(next);
            var result = await store.Commit(
                CrawlTable.Name,
                partition,
                [row is null ? RowChange.Insert(CrawlTable.JarKey, payload) : RowChange.Replace(CrawlTable.JarKey, payload, row.ETag)],
                cancel
            );
            if (result.Outcome == CommitOutcome.Committed)
            {
                return (next, cut);
            }

            if (result.Outcome == CommitOutcome.Unknown || attempt == MaxAttempts)
            {
                throw new PartitionLostException(CrawlTable.Name, partition, result);
            }
        }
    }

    /// <summary>The hosts that read the jar of a domain; none once the crawl is deleted.</summary>
    public async Task<ImmutableArray<HostKey>> Hosts(CrawlId crawl, string domain, CancellationToken cancel = default)
    {
        var hosts = ImmutableArray.CreateBuilder<HostKey>();
        var rows = store.ScanAll(
            CrawlTable.Name,
            CrawlTable.Cookies(crawl, domain),
            KeyRange.Prefix(CrawlTable.HostPrefix),
            cancel: cancel
        );
        await foreach (var row in rows)
        {
            hosts.Add(new(CrawlJson.Read<ListedHost>(row.Payload).Host));
        }

        return hosts.ToImmutable();
    }

    /// <summary>Of a crawl that was deleted while a cookie was set.</summary>
    public async Task Remove(CrawlId crawl, string domain, CancellationToken cancel = default) =>
        await store.Commit(CrawlTable.Name, CrawlTable.Cookies(crawl, domain), [RowChange.Delete(CrawlTable.JarKey)], cancel);
}
