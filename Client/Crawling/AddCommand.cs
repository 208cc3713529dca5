using System.CommandLine;
using System.Globalization;
using Client.Values;

namespace Client.Crawling;

/// <summary><c>crawl add ID URL...</c></summary>
internal sealed class AddCommand
{
    private readonly Argument<string> _crawl = CrawlArgument.Create();

    private readonly Argument<string[]> _urls = new("URL")
    {
        Description = "URLs within the crawl's scope, http or https.",
        Arity = ArgumentArity.ZeroOrMore,
        Validators = { Checks.IsWebUrl },
    };

    private readonly Option<string?> _from = UrlLines.Option();

    private readonly Option<bool> _last = new("--last")
    {
        Description = "No further seeds follow these: for a crawl whose crawl start --from was interrupted.",
    };

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
                add._last,
            },
            add.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        using var batches = UrlLines.Batches(UrlLines.All(parsed.GetValue(_urls) ?? [], parsed.GetValue(_from))).GetEnumerator();
        var hasAny = batches.MoveNext();
        if (!hasAny && !parsed.GetValue(_last))
        {
            throw new ConsoleException("There is no URL to add: type some, or name a file that has some with --from.", ExitCode.WrongUsage);
        }

        var id = await session.Find(parsed.GetRequiredValue(_crawl), cancel);
        var sender = new UrlSender(session, id);
        await sender.Send(hasAny ? UrlLines.Rest(batches) : [], cancel);
        if (parsed.GetValue(_last))
        {
            await sender.EndSeeds(cancel);
        }

        var (added, known, refused) = (sender.Added, sender.Known, sender.Refused);
        session.Tell(
            new
            {
                id = id.ToString(),
                added,
                known,
                refused,
            },
            $"{Counts.Of(added, "URL", "URLs")} added, {Counts.Format(known)} known before, {Counts.Format(refused)} refused.",
            added.ToString(CultureInfo.InvariantCulture)
        );

        return refused == 0 ? ExitCode.Done : ExitCode.Failed;
    }
}
