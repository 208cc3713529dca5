using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Client.Crawling;
using Client.Values;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Values;

namespace Client.Demo;

/// <summary><c>demo</c>: a crawl whose silo is killed half-way, and what became of it.</summary>
internal sealed class DemoCommand
{
    /// <summary>Many times what it takes; a demo that hangs is worse than one that fails.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly FollowPace Pace = new(TimeSpan.FromMilliseconds(150), TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    private static readonly Option<bool> Here = new("--here") { Description = "Use the silo that is reached, and kill nothing." };

    private static readonly Option<string?> Silo = new("--silo")
    {
        Description =
            "The silo to start: its folder or its Silo.dll. Without it: the one beside the console, built in its checkout, or installed.",
        HelpName = "FOLDER",
    };

    public static Command Create(Verbs verbs) =>
        verbs.Act(
            new(
                "demo",
                "A silo of its own crawls a small site, is killed with kill -9 half-way, starts again; then the books are read. "
                    + "Under a minute; needs nothing else."
            )
            {
                Here,
                Silo,
            },
            (session, parsed, cancel) => Run(session, parsed.GetValue(Here), parsed.GetValue(Silo), cancel)
        );

    private static async Task<int> Run(Session session, bool here, string? named, CancellationToken cancel)
    {
        if (here && named is not null)
        {
            throw new ConsoleException(
                "--here uses the silo that is reached, and --silo names one to start: give one of them.",
                ExitCode.WrongUsage
            );
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        // A terminal that is closed ends the demo as Ctrl-C does, so that nothing of it is left behind.
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
        using var closing = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            closed.Cancel();
        });
        try
        {
            var verdict = here ? await OnTheReachable(session, closed.Token) : await OnItsOwn(session, named, closed.Token);
            if (session.Json)
            {
                session.Terminal.Json(verdict);
            }
            else if (session.Quiet && !verdict.Ok)
            {
                throw new ConsoleException(string.Join(' ', verdict.Problems));
            }

            return verdict.Ok ? ExitCode.Done : ExitCode.Failed;
        }
        catch (OperationCanceledException) when (closed.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new ConsoleException(
                (
                    patience.IsCancellationRequested
                        ? $"The demo did not end within {Durations.Elapsed(Patience)}"
                        : "The demo's terminal was closed"
                ) + "; its silo is stopped and its folder removed."
            );
        }
    }

    private static async Task<DemoVerdict> OnTheReachable(Session session, CancellationToken cancel)
    {
        var clock = session.Terminal.Clock;
        var screen = new DemoScreen(session.Terminal, session.Json || session.Quiet);
        var since = clock.GetTimestamp();
        await using var site = await ShopServer.Open(new Bookshop(), clock, cancel);
        screen.Title("A crawl, from its first page to its books");
        await using var sales = new DemoSales(session.At(session.Address), $"tills-{Guid.NewGuid():N}");
        await using var hook = await DemoHook.Open(clock, cancel);
        await using var order = new DemoOrder(session, session.At(session.Address), hook, mails: null);
        var story = new Story(session, screen, site, new Bookshop(), sales, order);
        await story.Begin(cancel);
        await story.Watch(_ => false, cancel);
        return await story.End(kills: 0, clock.GetElapsedTime(since), cancel);
    }

    private static async Task<DemoVerdict> OnItsOwn(Session session, string? named, CancellationToken cancel)
    {
        var program = SiloProgram.Find(AppContext.BaseDirectory, named);
        var terminal = session.Terminal;
        var clock = terminal.Clock;
        var screen = new DemoScreen(terminal, session.Json || session.Quiet);
        var since = clock.GetTimestamp();
        var shop = new Bookshop();
        using var folder = new TemporaryFolder();
        var place = SiloPlace.Choose(folder.Path);
        await using var own = session.At(new([new("127.0.0.1", place.GatewayPort)], SiloPlace.ClusterId));

        screen.Title("A crawl that outlives its silo");
        await using var site = await ShopServer.Open(shop, clock, cancel);
        await using var sales = new DemoSales(session.At(own.Address), "tills");
        await using var hook = await DemoHook.Open(clock, cancel);
        await using var order = new DemoOrder(own, own.At(own.Address), hook, place.Mails);
        var story = new Story(own, screen, site, shop, sales, order);
        long before;
        await using (var silo = SiloProcess.Start(program, place, clock))
        {
            var ready = await silo.Ready(cancel);
            screen.Step("silo", $"process {silo.Id}, ready in {Durations.Elapsed(ready)}, its data in {place.Folder}");
            await story.Begin(cancel);
            var half = await story.Watch(progress => progress.Crawl.Pages >= shop.Paths.Count / 2, cancel);
            before = half.Crawl.Pages;
            await silo.Kill();
            screen.Step(
                "kill -9",
                $"{silo.Id}, half-way: {Counts.Of(half.Crawl.Pages, "page", "pages")} done, {Counts.Format(half.Crawl.Queued)} "
                    + $"URLs queued. Nothing could be put in order.",
                "red"
            );
        }

        await using (var silo = SiloProcess.Start(program, place, clock))
        {
            var ready = await silo.Ready(cancel);
            screen.Step("silo", $"process {silo.Id}, ready in {Durations.Elapsed(ready)}, on the same folder; nobody tells it to go on");
            await own.Reopen(cancel);
            await story.Watch(_ => false, cancel);
            return await story.End(kills: 1, clock.GetElapsedTime(since), cancel);
        }
    }

    /// <summary>What both ways of running it tell.</summary>
    private sealed class Story(Session session, DemoScreen screen, ShopServer site, Bookshop shop, DemoSales sales, DemoOrder order)
    {
        private CrawlId _id;

        public async Task Begin(CancellationToken cancel)
        {
            screen.Step("site", $"a bookshop of {shop.Paths.Count} pages on {site.Url}, served by this console");
            var spec = new CrawlSpec
            {
                Seeds = [site.Url.AbsoluteUri],
                Delay = TimeSpan.FromMilliseconds(60),
                Concurrency = 1,
                Timeout = TimeSpan.FromSeconds(3),
                AllowPrivate = ["127.0.0.0/8"],
            };
            var reply = await (await session.Cluster(cancel)).Crawls.Start(spec, cancel);
            _id = reply.Id ?? throw new ConsoleException(string.Join(' ', reply.Errors));
            screen.Step(
                "crawl",
                $"{_id}: one request at a time, {Durations.Format(spec.Delay)} from the end of one to the start of the next"
            );
            sales.Begin(cancel);
            screen.Step("logs", "the shop's tills write their sales into the log all the while, and send again what nobody acknowledged");
            var (orderId, noHook) = await order.Begin(cancel);
            screen.Step("order", $"{orderId}: placed and paid, and one watch looks on from here to the end");
            if (noHook is not null)
            {
                screen.Step("webhook", $"none here: {noHook}", "yellow");
            }
        }

        public Task<FollowEvent.Progress> Watch(Func<FollowEvent.Progress, bool> enough, CancellationToken cancel) =>
            screen.Watch(new(session, _id, Pace), shop.Paths.Count, enough, cancel);

        public async Task<DemoVerdict> End(int kills, TimeSpan elapsed, CancellationToken cancel)
        {
            var cluster = await session.Cluster(cancel);
            var records = ImmutableArray.CreateBuilder<PageRecord>();
            string? cursor = null;
            do
            {
                var page = await cluster.Crawl(_id).Export(cursor, ExportKind.All, cancel);
                records.AddRange(page.Records);
                cursor = page.Cursor;
            } while (cursor is not null && records.Count <= 10 * shop.Paths.Count);

            var sold = await sales.End(cancel);
            var moved = await order.End(cancel);
            var accounts = await cluster.Ledger.Read(cancel);
            await order.Leave(cancel);
            var crawl = await session.Show(_id, cancel);
            var verdict = DemoVerdict.Of(
                new(shop, site.Url, crawl, records.ToImmutable(), accounts, site.Read(), kills, elapsed, sold, moved)
            );
            Tell(verdict, crawl);
            return verdict;
        }

        private void Tell(DemoVerdict verdict, CrawlSummary crawl)
        {
            screen.Title("What became of it");
            screen.Line(
                $"pages     {verdict.Pages} of {verdict.PagesOnSite}, each once in the export: "
                    + $"{string.Join(", ", verdict.Statuses.Select(status => $"{status.Value} × {status.Key}"))}"
            );
            screen.Line($"skipped   {verdict.Skipped}, for robots.txt; the site was never asked for them");
            screen.Line(
                $"requests  {verdict.Requests} at the site: one a page, one more after its "
                    + $"503{(verdict.Kills == 0 ? "" : $", {verdict.Repeated} again for the kill (at most {verdict.RepeatedAtMost})")}"
            );
            var pace = verdict.SmallestGapMs is { } gap
                ? string.Create(CultureInfo.InvariantCulture, $"the two closest requests arrived {gap:0} ms apart")
                : "there was one request";
            screen.Line($"pace      {pace}; all in all {Durations.Elapsed(TimeSpan.FromSeconds(verdict.ElapsedSeconds))}");
            var kept = verdict.Sales;
            screen.Line(
                $"sales     {Counts.Format(kept.Acknowledged)} of {Counts.Format(kept.Sent)} acknowledged by the log, "
                    + $"{Counts.Of(kept.Again, "request", "requests")} sent again; a query finds {Counts.Format(kept.Stored)}, each once"
            );
            screen.Line($"log       {Counts.Of(kept.OfPages, "record", "records")} more, of the crawl's pages and of the silo itself");
            var orderSteps = string.Join(", ", verdict.Order.Steps.Select(step => step.Replace("order.", "", StringComparison.Ordinal)));
            screen.Line(
                $"order     {orderSteps}: each change seen once, in order, over the kill; "
                    + $"{Counts.Of(verdict.Order.Proven, "proof", "proofs")} of the audit hold"
            );
            if (verdict.Order.Mails is { } mails)
            {
                screen.Line(
                    $"mail      {Counts.Of(mails, "mail", "mails")} for its customer, one of each change; without a mail server "
                        + $"they are files"
                );
            }

            if (verdict.Order.Hook is { } told)
            {
                screen.Line(
                    $"webhook   {Counts.Of(told.Changes.Count, "change", "changes")} told to an endpoint of this console, each "
                        + $"signature checked and good{(told.Again == 0 ? "" : $"; {told.Again} again, under the same id")}"
                );
            }

            screen.Title("The books: in = done + refused + waiting");
            screen.Books(verdict.Accounts);
            foreach (var problem in verdict.Problems)
            {
                screen.Line($"[red]✗ {Spectre.Console.Markup.Escape(problem)}[/]");
            }

            screen.Line(verdict.Ok ? "[green]✓ Everything adds up.[/]" : "[red]It does not add up.[/]");
            screen.Title("Next");
            screen.Line("dotnet run -c Release --project Silo                  [grey]a silo that stays[/]");
            screen.Line("dotnet run -c Release --project Client -- crawl start https://example.org/ --max-pages 50 --follow");
            screen.Line("dotnet run -c Release --project Client -- logs send /var/log/dpkg.log --service dpkg");
            screen.Line("dotnet run -c Release --project Client -- logs query 'service:dpkg \"install\"' --since 30d --limit 20");
            screen.Line("dotnet run -c Release --project Client -- orders place --customer ann --line tea:2:450");
            screen.Line("dotnet run -c Release --project Client -- --help      [grey]all that can be asked[/]");
        }
    }
}
