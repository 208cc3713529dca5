using System.CommandLine;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Values;

namespace Client.Crawling;

/// <summary><c>crawl show ID</c></summary>
internal static class ShowCommand
{
    public static Command Create(Verbs verbs)
    {
        var crawl = CrawlArgument.Create();
        return verbs.Read(
            new("show", "One crawl: what was asked, and how far it is. Ends with 1 when it is done and no seed was fetched.") { crawl },
            (session, parsed, cancel) => Run(session, parsed.GetRequiredValue(crawl), cancel)
        );
    }

    private static async Task<int> Run(Session session, string idOrName, CancellationToken cancel)
    {
        var crawl = await session.Show(await session.Find(idOrName, cancel), cancel);
        if (session.Json)
        {
            session.Terminal.Json(CrawlForm.WithSpec(crawl));
        }
        else
        {
            Facts(crawl).WriteTo(session.Terminal);
        }

        return crawl.FetchedNoSeed ? throw new ConsoleException("No seed was fetched.") : ExitCode.Done;
    }

    private static Facts Facts(CrawlSummary crawl)
    {
        var spec = crawl.Spec;
        return new Facts()
            .Add("id", crawl.Id.ToString())
            .Add("name", crawl.Name)
            .Add("state", CrawlText.State(crawl.State), CrawlText.Style(crawl.State))
            .Add("note", crawl.Note, "yellow")
            .Add("done", Counts.Format(crawl.Pages))
            .Add("queued", Counts.Format(crawl.Queued))
            .Add("failed", Counts.Format(crawl.Failed))
            .Add("skipped", Counts.Format(crawl.Skipped))
            .Add("reasons", CrawlText.Reasons(crawl))
            .Add("changes", CrawlText.Reasons(crawl.Changes))
            .Add("redirects", crawl.Redirects > 0 ? Counts.Format(crawl.Redirects) : null)
            .Add("truncated", crawl.Truncated > 0 ? Counts.Format(crawl.Truncated) : null)
            .Add("cut", crawl.Cut > 0 ? Counts.Format(crawl.Cut) : null)
            .Add("cookies cut", crawl.CookiesCut > 0 ? Counts.Format(crawl.CookiesCut) : null)
            .Add("kept", CrawlText.Kept(crawl))
            .Add("traps", Joined(CrawlText.Traps(crawl)), "yellow")
            .Add("trouble", Joined(CrawlText.SeedTroubles(crawl)), "red")
            .Add("hosts", Counts.Format(crawl.Hosts))
            .Add("size", Sizes.Format(crawl.Bytes))
            .Add("started", At(crawl.StartedAt))
            .Add("ended", crawl.EndedAt is { } ended ? At(ended) : null)
            .Add("took", Durations.Elapsed(crawl.Elapsed))
            .Add("seeds", Some(spec.Seeds))
            .Add("revisits", spec.Revisit?.ToString())
            .Add("every", spec.Every is { } every ? Durations.Format(every) : null)
            .Add("next round", crawl.Rounds is { } rounds ? $"{At(rounds.NextAt)}, revisits {rounds.Last}" : null)
            .Add("more seeds", spec.MoreSeeds ? "yes" : null)
            .Add("scope", spec.Scope.ToString().ToLowerInvariant())
            .Add("max pages", spec.MaxPages is { } pages ? Counts.Format(pages) : null)
            .Add("max depth", spec.MaxDepth is { } depth ? Counts.Format(depth) : null)
            .Add("host pages", spec.HostPages is { } hostPages ? Counts.Format(hostPages) : null)
            .Add("host bytes", spec.HostBytes is { } hostBytes ? Sizes.Format(hostBytes) : null)
            .Add("host time", spec.HostTime is { } hostTime ? Durations.Format(hostTime) : null)
            .Add("host errors", spec.HostErrors is { } hostErrors ? Counts.Format(hostErrors) : null)
            .Add("delay", Durations.Format(spec.Delay))
            .Add("per ip", spec.PerIp ? "yes" : null)
            .Add("at once", $"{Counts.Format(spec.Concurrency)} a host, {Counts.Format(spec.Parallel)} in all")
            .Add("include", Some(spec.Include))
            .Add("exclude", Some(spec.Exclude))
            .Add("walk", Some(spec.Walk))
            .Add("drop params", Some(spec.DropParams))
            .Add("sort params", spec.SortParams ? "yes" : null)
            .Add("follow traps", spec.FollowTraps ? "yes" : null)
            .Add("fields", Some(spec.Fields))
            .Add("text", spec.Text ? "yes" : null)
            .Add("private", Some(spec.AllowPrivate))
            .Add("timeout", Durations.Format(spec.Timeout))
            .Add("max body", Sizes.Format(spec.MaxBodyBytes))
            .Add("sitemaps", spec.Sitemaps.ToString().ToLowerInvariant())
            .Add("headers", Some(SpecForm.Of(spec).HeaderNames))
            .Add("user agent", spec.UserAgent)
            .Add("contact", spec.Contact)
            .Add("credentials", Some(SpecForm.Of(spec).CredentialHosts))
            .Add("cookies", spec.NoCookies ? "no" : null)
            .Add("proxy", spec.Proxy)
            .Add("robots", spec.IgnoreRobots ? "ignored on the silo's own hosts" : null)
            .Add("accept", Some(spec.Accept))
            .Add("keep", spec.Keep.ToString().ToLowerInvariant())
            .Add("max kept", spec.Keep == KeepPages.None ? null : Sizes.Format(spec.MaxKeptBytes));
    }

    private static string At(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string? Joined(IEnumerable<string> lines) => string.Join('\n', lines) is { Length: > 0 } text ? text : null;

    /// <summary>The first few; a crawl may have a thousand seeds.</summary>
    private static string? Some(IReadOnlyList<string> texts, int most = 5) =>
        texts.Count switch
        {
            0 => null,
            _ when texts.Count <= most => string.Join('\n', texts),
            _ => $"{string.Join('\n', texts.Take(most))}\nand {Counts.Format(texts.Count - most)} more",
        };
}
