using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary><c>crawl add ID URL...</c></summary>
internal sealed class AddCommand
{
    private readonly Argument<string> _crawl = CrawlArgument.Create();

    private readonly Argument<string[]> _urls = new("URL")
    {
        Description = "URLs within the crawl's scope, http or https.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string?> _from = UrlLines.Option();

    private AddCommand() { }

    public static Command Create(Verbs verbs)
    {
        var add = new AddCommand();
        return verbs.Act(
            new("add", "Add URLs to a crawl that runs or is paused, as seeds are. Exits with 1 when one was refused.")
            {
                add._crawl,
                add._urls,
                add._from,
            },
            add.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var id = await session.Find(parsed.GetRequiredValue(_crawl), cancel);
        var crawl = (await session.Cluster(cancel)).Crawl(id);
        var (added, known, refused) = (0L, 0L, 0L);
        foreach (var some in UrlLines.All(parsed.GetValue(_urls) ?? [], parsed.GetValue(_from)).Chunk(CrawlSpec.MaxSeeds))
        {
            var reply = await crawl.Add([.. some], cancel);
            if (reply.Closed is { } closed)
            {
                throw new ConsoleException(closed);
            }

            foreach (var error in reply.Errors)
            {
                await session.Terminal.Error.WriteLineAsync(Terminal.Clean(error));
            }

            (added, known, refused) = (added + reply.New, known + reply.Known, refused + reply.Refused);
        }

        if (session.Json)
        {
            session.Terminal.Json(
                new
                {
                    id = id.ToString(),
                    added,
                    known,
                    refused,
                }
            );
        }
        else
        {
            session.Terminal.Line(
                $"{Counts.Of(added, "URL", "URLs")} added, {Counts.Format(known)} known before, {Counts.Format(refused)} refused."
            );
        }

        return refused == 0 ? ExitCode.Done : ExitCode.Failed;
    }
}
