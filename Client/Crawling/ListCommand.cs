using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Values;

namespace Client.Crawling;

/// <summary><c>crawl list</c></summary>
internal static class ListCommand
{
    public static Command Create(Verbs verbs)
    {
        var limit = new Limit("crawls");
        return verbs.Read(new("list", "The crawls that are kept, the newest first.") { limit.Option }, (session, parsed, cancel) =>
            Run(session, limit.Of(parsed), cancel)
        );
    }

    private static async Task<int> Run(Session session, int limit, CancellationToken cancel)
    {
        var cluster = await session.Cluster(cancel);
        var crawls = await cluster.Crawls.List(cancel);
        var shown = crawls.Take(limit);
        if (session.Json)
        {
            foreach (var crawl in shown)
            {
                session.Terminal.Json(CrawlForm.Of(crawl));
            }
        }
        else if (crawls.IsEmpty)
        {
            session.TellNothing("No crawl is kept. Start one with: crawl start https://example.org/");
        }
        else
        {
            var listing = new Listing()
                .Column("id", isId: true)
                .Column("name", wrap: true)
                .Column("state")
                .Column("done", right: true)
                .Column("queued", right: true)
                .Column("failed", right: true)
                .Column("skipped", right: true)
                .Column("hosts", right: true)
                .Column("size", right: true)
                .Column("took", right: true);
            var hasRounds = crawls.Any(crawl => crawl.Rounds is not null);
            if (hasRounds)
            {
                listing.Column("next round");
            }

            foreach (var crawl in shown)
            {
                Cell[] cells =
                [
                    crawl.Id.ToString(),
                    crawl.Name,
                    new(CrawlText.State(crawl.State), CrawlText.Style(crawl.State)),
                    Counts.Format(crawl.Pages),
                    Counts.Format(crawl.Queued),
                    Counts.Format(crawl.Failed),
                    Counts.Format(crawl.Skipped),
                    Counts.Format(crawl.Hosts),
                    Sizes.Format(crawl.Bytes),
                    Durations.Elapsed(crawl.Elapsed),
                ];
                listing.Row(hasRounds ? [.. cells, CrawlText.NextRound(crawl)] : cells);
            }

            listing.WriteTo(session.Terminal);
        }

        session.End(ListEnd.Of(crawls.Length, limit), "crawls");
        return ExitCode.Done;
    }
}
