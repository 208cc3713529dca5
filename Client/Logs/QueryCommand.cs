using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary><c>logs query</c></summary>
internal sealed class QueryCommand
{
    private readonly Argument<string> _query = LogQueryOptions.Query();
    private readonly Option<string?> _since = LogQueryOptions.Since("from the first");
    private readonly Option<string?> _until = LogQueryOptions.Until();

    private readonly Limit _limit = new("records", SearchLogs.DefaultLimit, SearchLogs.MaxLimit);

    private readonly Option<bool> _oldestFirst = new("--oldest-first")
    {
        Description = "In the order in which they happened. Without it the newest come first.",
    };

    public static Command Create(Verbs verbs)
    {
        var query = new QueryCommand();
        return verbs.Read(
            new(
                "query",
                "Records that are stored and match, the newest first. Ends with 1 when it stopped before everything was looked "
                    + "at, or when segments cannot be read; stderr says which."
            )
            {
                query._query,
                query._since,
                query._until,
                query._limit.Option,
                query._oldestFirst,
            },
            query.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var now = session.Terminal.Clock.GetUtcNow();
        var ask = new SearchLogs(
            parsed.GetValue(_query) ?? "",
            LogText.Time(parsed.GetValue(_since), "--since", now),
            LogText.Time(parsed.GetValue(_until), "--until", now),
            _limit.Of(parsed),
            parsed.GetValue(_oldestFirst)
        );
        var found = 0L;
        await foreach (var page in (await session.Cluster(cancel)).LogQuery().Search(ask, cancel).WithBatchSize(1).WithCancellation(cancel))
        {
            found += page.Records.Count;
            Write(session, page.Records);
            if (page.End is { } end)
            {
                LogText.ThrowIfRefused(end);
                return Finish(session, ask, end, found);
            }
        }

        throw new ConsoleException("The answer ended before it was whole.");
    }

    private static void Write(Session session, LogBlock records)
    {
        if (session.Json)
        {
            LogText.WriteJson(session.Terminal, records);
        }
        else
        {
            LogText.WriteLines(session.Terminal, records);
        }
    }

    private static int Finish(Session session, SearchLogs ask, QueryEnd end, long found)
    {
        if (session.Json)
        {
            session.Terminal.Json(new { end = QueryEndForm.Of(end) });
        }
        else if (end.Outcome == QueryOutcome.Limit)
        {
            session.Terminal.Warn(ListEnd.Of((int)found, after: null).Cut().Sentence("records"));
        }
        else if (found == 0 && !LogText.StoppedEarly(end))
        {
            session.TellNothing(
                end.Segments == 0 ? "Nothing is stored yet. Send something with: logs send /var/log/dpkg.log --service dpkg"
                : ask.Since is null ? "Nothing that is stored matches."
                : $"Nothing since {ask.Since:yyyy-MM-dd HH:mm:ss}Z matches; a longer --since looks further back."
            );
        }

        return LogText.Finish(session, end, Counts.Of(found, "record", "records"));
    }
}
