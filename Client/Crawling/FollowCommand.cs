using System.CommandLine;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Values;
using Spectre.Console;

namespace Client.Crawling;

/// <summary><c>crawl follow ID</c></summary>
internal static class FollowCommand
{
    public static Command Create(Verbs verbs)
    {
        var crawl = CrawlArgument.Create();
        return verbs.Act(
            new(
                "follow",
                "Watch a crawl until it ends. Ctrl-C stops the watching, not the crawl. Ends with 0 when the crawl is done, "
                    + "with 1 when it is not, "
                    + "or when it is and no seed was fetched."
            )
            {
                crawl,
            },
            async (session, parsed, cancel) => await Follow(session, await session.Find(parsed.GetRequiredValue(crawl), cancel), cancel)
        );
    }

    /// <summary>Watches to the end; <see cref="ExitCode.Done"/> only when the crawl is done.</summary>
    public static async Task<int> Follow(Session session, CrawlId id, CancellationToken cancel)
    {
        var terminal = session.Terminal;
        var last =
            session.Json || session.Quiet || !terminal.OutputIsTerminal
                ? await FollowAsLines(session, id, cancel)
                : await FollowLive(session, id, cancel);
        if (session.Json && last is not null)
        {
            terminal.Json(CrawlForm.Of(last));
        }

        if (last is null or { Ended: false })
        {
            throw new ConsoleException($"The crawl goes on without you; watch it again with: crawl follow {id}");
        }

        if (session.Quiet && !session.Json)
        {
            foreach (var trouble in CrawlText.SeedTroubles(last))
            {
                terminal.Warn(trouble);
            }
        }
        else if (!session.Json)
        {
            foreach (var trouble in CrawlText.SeedTroubles(last))
            {
                terminal.Line(trouble);
            }

            var reasons = CrawlText.Reasons(last) is { } counted ? $" ({counted})" : "";
            var end = $"{CrawlText.State(last.State)} after {Durations.Elapsed(last.Elapsed)}";
            terminal.Line($"Crawl {CrawlText.Title(last)} is {end}: {CrawlText.Numbers(last)}{reasons}.");
        }

        if (last.FetchedNoSeed)
        {
            throw new ConsoleException("No seed was fetched.");
        }

        return last.State == CrawlState.Done ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>The last that was seen; null when it was left before anything was.</summary>
    private static async Task<CrawlSummary?> FollowAsLines(Session session, CrawlId id, CancellationToken cancel)
    {
        CrawlSummary? last = null;
        string? said = null;
        var saidAt = 0L;
        var clock = session.Terminal.Clock;
        try
        {
            await foreach (var seen in new CrawlFollower(session, id, session.Pace).Watch(cancel))
            {
                switch (seen)
                {
                    case FollowEvent.Progress progress:
                        last = progress.Crawl;
                        // The last is told by the caller. Programs get each change, people a line now and then and at each turn.
                        var tells = $"{(session.Json ? CrawlText.Numbers(last) : "")} {last.State} {last.Note}";
                        if (!last.Ended && (said != tells || clock.GetElapsedTime(saidAt) >= session.Pace.Say))
                        {
                            (said, saidAt) = (tells, clock.GetTimestamp());
                            Tell(session, progress);
                        }

                        break;
                    default:
                        session.Terminal.Note(Sentence(seen));
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Whoever leaves gets the last numbers; the caller says that the crawl goes on.
        }

        return last;
    }

    private static void Tell(Session session, FollowEvent.Progress progress)
    {
        if (session.Json)
        {
            session.Terminal.Json(CrawlForm.Of(progress.Crawl));
        }
        else if (!session.Quiet)
        {
            session.Terminal.Line(CrawlProgress.Line(progress));
        }
    }

    private static async Task<CrawlSummary?> FollowLive(Session session, CrawlId id, CancellationToken cancel)
    {
        CrawlSummary? last = null;
        FollowEvent.Progress? progress = null;
        await session
            .Terminal.Console.Live(new Text(""))
            .AutoClear(true)
            .StartAsync(async live =>
            {
                try
                {
                    await foreach (var seen in new CrawlFollower(session, id, session.Pace).Watch(cancel))
                    {
                        progress = seen as FollowEvent.Progress ?? progress;
                        last = progress?.Crawl ?? last;
                        live.UpdateTarget(CrawlProgress.Live(progress, seen is FollowEvent.Progress ? null : Sentence(seen)));
                    }
                }
                catch (OperationCanceledException) when (cancel.IsCancellationRequested)
                {
                    // As above.
                }
            });
        return last;
    }

    internal static string Sentence(FollowEvent seen) =>
        seen switch
        {
            FollowEvent.Lost => "The silo does not answer; looking for it. Nothing is lost: the crawl goes on when a silo does.",
            FollowEvent.Back back => $"A silo answers again, after {Durations.Elapsed(back.After)}.",
            _ => throw new ArgumentOutOfRangeException(nameof(seen), seen, "Progress has no sentence."),
        };
}
