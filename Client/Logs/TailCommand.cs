using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary><c>logs tail</c></summary>
internal sealed class TailCommand
{
    /// <summary>A silo that is gone is looked for so long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Argument<string> _query = LogQueryOptions.Query();

    public static Command Create(Verbs verbs)
    {
        var tail = new TailCommand();
        return verbs.Act(
            new(
                "tail",
                "Records as they are stored, until Ctrl-C. When the silo goes, another is looked for; what was stored meanwhile "
                    + "is not shown."
            )
            {
                tail._query,
            },
            tail.Run
        );
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var query = parsed.GetValue(_query) ?? "";
        var clock = session.Terminal.Clock;
        for (var lost = (long?)null; ; )
        {
            try
            {
                await foreach (
                    var page in (await session.Cluster(cancel)).LogTail().Watch(query, cancel).WithBatchSize(1).WithCancellation(cancel)
                )
                {
                    if (lost is not null)
                    {
                        session.Terminal.Note("Watching again.");
                        lost = null;
                    }

                    Show(session, page);
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return ExitCode.Done; // Ctrl-C is how it ends.
            }
            catch (Exception reason) when (IsLoss(reason) || (lost is not null && reason is ConsoleException { Code: ExitCode.NoSilo }))
            {
                if (lost is null)
                {
                    session.Terminal.Warn(
                        "The silo went away; looking for another. What is stored meanwhile is not shown here: ask for it with logs query."
                    );
                }
                else if (clock.GetElapsedTime(lost.Value) > Patience)
                {
                    throw;
                }
            }

            lost ??= clock.GetTimestamp();
            await Task.Delay(session.Pace.Retry, clock, cancel);
            await Again(session, cancel);
        }
    }

    private static async Task Again(Session session, CancellationToken cancel)
    {
        try
        {
            await session.Reopen(cancel);
        }
        catch (ConsoleException none) when (none.Code == ExitCode.NoSilo)
        {
            // The loop asks again, for as long as its patience lasts.
        }
    }

    private static bool IsLoss(Exception reason) =>
        reason is OrleansException or EnumerationAbortedException or TimeoutException or IOException;

    private static void Show(Session session, TailPage page)
    {
        if (page.Wrong is { } wrong)
        {
            throw new ConsoleException(wrong, ExitCode.WrongUsage);
        }

        if (session.Json)
        {
            LogText.WriteJson(session.Terminal, page.Records);
        }
        else
        {
            LogText.WriteLines(session.Terminal, page.Records);
        }

        if (page.UnreadableSegments is { IsDefaultOrEmpty: false } unreadable)
        {
            LogText.NoteUnreadable(session.Terminal, unreadable.Length, unreadable);
        }

        if (page.Missed > 0 && session.Json)
        {
            session.Terminal.Json(new { missed = page.Missed });
        }
        else if (page.Missed > 0)
        {
            var why = page.UnreadableSegments.IsDefaultOrEmpty
                ? "they came faster than they could be shown"
                : "they cannot be read, or came faster than they could be shown";
            session.Terminal.MarkupLine($"[yellow]… missed {Counts.Of(page.Missed, "record", "records")}: {why}[/]");
        }
    }
}
