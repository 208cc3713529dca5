using System.CommandLine;
using Grains.Interfaces.Crawling;

namespace Client.Crawling;

/// <summary><c>crawl pause|resume|cancel|delete ID</c></summary>
internal static class ControlCommands
{
    public static Command Pause(Verbs verbs) =>
        Control(verbs, "pause", "Begin no new fetches; those in flight end.", "is paused", (crawl, cancel) => crawl.Pause(cancel));

    public static Command Resume(Verbs verbs) =>
        Control(verbs, "resume", "Go on with a crawl that was paused.", "goes on", (crawl, cancel) => crawl.Resume(cancel));

    public static Command Cancel(Verbs verbs) =>
        Control(verbs, "cancel", "End a crawl for good; what waits is skipped.", "is cancelled", (crawl, cancel) => crawl.Cancel(cancel));

    public static Command Delete(Verbs verbs)
    {
        var crawl = CrawlArgument.Create();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask. Needed where nobody can be asked." };
        return verbs.Act(new("delete", "Remove a crawl and everything that was kept of it.") { crawl, yes }, (session, parsed, cancel) =>
            Delete(session, parsed.GetRequiredValue(crawl), parsed.GetValue(yes), cancel)
        );
    }

    private static Command Control(
        Verbs verbs,
        string name,
        string description,
        string became,
        Func<ICrawlGrain, CancellationToken, Task<ControlReply>> control
    )
    {
        var crawl = CrawlArgument.Create();
        return verbs.Act(new(name, description) { crawl }, async (session, parsed, cancel) =>
        {
            var id = await session.Find(parsed.GetRequiredValue(crawl), cancel);
            var reply = await control((await session.Cluster(cancel)).Crawl(id), cancel);
            if (reply.Error is { } error)
            {
                throw new ConsoleException(error);
            }

            var summary = reply.Crawl ?? throw Session.Gone(id);
            session.Tell(
                CrawlForm.Of(summary),
                $"Crawl {CrawlText.Title(summary)} {became}: {CrawlText.Numbers(summary)}.",
                summary.Id.Value
            );

            return ExitCode.Done;
        });
    }

    private static async Task<int> Delete(Session session, string idOrName, bool yes, CancellationToken cancel)
    {
        var id = await session.Find(idOrName, cancel);
        var crawl = await session.Show(id, cancel);
        await Confirm.Ask(
            session,
            yes,
            $"to delete crawl {CrawlText.Title(crawl)} with all it found",
            $"Delete crawl {CrawlText.Title(crawl)} and its {crawl.Added} URLs?",
            cancel
        );

        if ((await (await session.Cluster(cancel)).Crawl(id).Delete(cancel)).Error is { } error)
        {
            throw new ConsoleException(error);
        }

        session.Tell(
            new
            {
                id = id.ToString(),
                name = crawl.Name,
                deleted = true,
            },
            $"Crawl {CrawlText.Title(crawl)} is deleted.",
            id.Value
        );

        return ExitCode.Done;
    }
}
