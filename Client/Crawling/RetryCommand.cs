using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary><c>crawl retry ID</c></summary>
internal sealed class RetryCommand
{
    private readonly Argument<string> _crawl = CrawlArgument.Create();

    private readonly Option<string?> _reason = new("--reason")
    {
        Description = "Only what failed so, as crawl show names it: timeout, unreachable, http-503. [default: all that failed]",
        HelpName = "REASON",
    };

    private readonly Option<bool> _follow = new("--follow") { Description = "Watch the crawl until it ends." };

    private RetryCommand() { }

    public static Command Create(Verbs verbs)
    {
        var retry = new RetryCommand();
        return verbs.Act(
            new("retry", "Try again what has failed, as often as a new URL. A crawl that is done goes on.")
            {
                retry._crawl,
                retry._reason,
                retry._follow,
            },
            retry.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var id = await session.Find(parsed.GetRequiredValue(_crawl), cancel);
        var reason = parsed.GetValue(_reason);
        var reply = await RetryReply.All(cursor => session.Ask(cluster => cluster.Crawl(id).Retry(reason, cursor, cancel), cancel));
        if (reply.Closed is { } closed)
        {
            throw new ConsoleException(closed);
        }

        Tell(session, id.ToString(), reason, reply.Retried);
        return parsed.GetValue(_follow) ? await FollowCommand.Follow(session, id, cancel) : ExitCode.Done;
    }

    private static void Tell(Session session, string id, string? reason, ImmutableSortedDictionary<string, long> retried)
    {
        var count = retried.Values.Sum();
        session.Tell(
            new
            {
                id,
                retried = count,
                reasons = retried,
            },
            count > 0 ? $"{Counts.Of(count, "URL is", "URLs are")} tried again: {CrawlText.Reasons(retried)}."
                : reason is null ? "Nothing to try again: no URL has failed."
                : $"Nothing to try again: no URL failed with {reason}.",
            count.ToString(CultureInfo.InvariantCulture)
        );
    }
}
