using System.Collections.Immutable;
using Client.Books;
using Client.Crawling;
using Client.Values;
using Grains.Interfaces.Books;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Client.Demo;

/// <summary>How the demo speaks: steps, a live bar, a summary. Silent for programs, plain when piped.</summary>
internal sealed class DemoScreen(Terminal terminal, bool silent)
{
    /// <summary>Between two lines about progress, when piped.</summary>
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(2);

    public void Title(string text)
    {
        if (!silent)
        {
            terminal.MarkupLine("");
            terminal.MarkupLine($"  [bold]{Markup.Escape(text)}[/]");
        }
    }

    /// <param name="style">Of the mark before it.</param>
    public void Step(string what, string text, string style = "green")
    {
        if (!silent)
        {
            terminal.MarkupLine($"  [{style}]●[/] [bold]{what, -9}[/] {Markup.Escape(text)}");
        }
    }

    public void Line(string markup)
    {
        if (!silent)
        {
            terminal.MarkupLine($"  {markup}");
        }
    }

    public void Books(ImmutableArray<Account> accounts)
    {
        if (!silent)
        {
            LedgerCommand.Write(accounts, terminal, json: false);
            terminal.Line("");
        }
    }

    /// <summary>Shows how the crawl goes on, until it ends or <paramref name="enough"/>; the answer is the last that was seen.</summary>
    public async Task<FollowEvent.Progress> Watch(
        CrawlFollower follower,
        long pages,
        Func<FollowEvent.Progress, bool> enough,
        CancellationToken cancel
    )
    {
        if (silent || !terminal.OutputIsTerminal)
        {
            return await Watch(follower, enough, Lines(pages), cancel);
        }

        return await terminal
            .Console.Live(new Text(""))
            .StartAsync(live => Watch(follower, enough, (seen, last) => live.UpdateTarget(Picture(last, pages, seen)), cancel));
    }

    private static async Task<FollowEvent.Progress> Watch(
        CrawlFollower follower,
        Func<FollowEvent.Progress, bool> enough,
        Action<FollowEvent, FollowEvent.Progress?> show,
        CancellationToken cancel
    )
    {
        FollowEvent.Progress? last = null;
        await foreach (var seen in follower.Watch(cancel))
        {
            last = seen as FollowEvent.Progress ?? last;
            show(seen, last);
            if (last is not null && enough(last))
            {
                break;
            }
        }

        return last ?? throw new ConsoleException("The crawl said nothing.");
    }

    private Action<FollowEvent, FollowEvent.Progress?> Lines(long pages)
    {
        long? said = null;
        return (seen, last) =>
        {
            if (silent)
            {
                return;
            }

            if (seen is not FollowEvent.Progress)
            {
                terminal.Line($"  {FollowCommand.Sentence(seen)}");
            }
            else if (said is not { } before || last!.Crawl.Ended || terminal.Clock.GetElapsedTime(before) >= BetweenLines)
            {
                said = terminal.Clock.GetTimestamp();
                terminal.Line(
                    $"    {Counts.Format(last!.Crawl.Pages)} of {Counts.Format(pages)} pages, "
                        + $"{Counts.Format(last.Crawl.Queued)} queued, {Counts.Rate(last.PagesPerSecond)}"
                );
            }
        };
    }

    private static Padder Picture(FollowEvent.Progress? last, long pages, FollowEvent seen)
    {
        var rows = new List<IRenderable>();
        if (last is not null)
        {
            rows.Add(CrawlProgress.Bar(last.Crawl.Pages, pages));
            rows.Add(
                new Markup(
                    $"[grey]{Counts.Format(last.Crawl.Queued)} queued   {Counts.Rate(last.PagesPerSecond)}   "
                        + $"{Sizes.Format(last.Crawl.Bytes)}[/]"
                )
            );
        }

        if (seen is not FollowEvent.Progress)
        {
            rows.Add(new Markup($"[yellow]{Markup.Escape(FollowCommand.Sentence(seen))}[/]"));
        }

        return new Padder(new Rows(rows), new Padding(4, 0, 0, 0));
    }
}
