using Client.Values;
using Grains.Interfaces.Crawling;
using Grains.Interfaces.Values;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Client.Crawling;

/// <summary>How far a crawl is, as a line for pipes and as a picture for terminals.</summary>
internal static class CrawlProgress
{
    private const int BarWidth = 40;

    /// <summary>What would take longer is not foretold.</summary>
    private static readonly TimeSpan LongestForecast = TimeSpan.FromDays(365);

    /// <summary>
    /// <c>12.0 s running: 340 done, 211 queued, 2 failed, 14 skipped, 28.4/s, at least 7.4 s to go, 1 host, 3.1 MB</c>
    /// </summary>
    public static string Line(FollowEvent.Progress progress)
    {
        var crawl = progress.Crawl;
        var note = crawl.Note is { } text ? $". {Terminal.Clean(text)}" : "";
        return $"{Durations.Elapsed(crawl.Elapsed)} {CrawlText.State(crawl.State)}: {CrawlText.Numbers(crawl)}, "
            + $"{Counts.Rate(progress.PagesPerSecond)}, {(Forecast(progress) is { } forecast ? forecast + ", " : "")}"
            + $"{Counts.Of(crawl.Hosts, "host", "hosts")}, {Sizes.Format(crawl.Bytes)}{note}";
    }

    /// <param name="aside">A sentence below, when there is something to say.</param>
    public static IRenderable Live(FollowEvent.Progress? progress, string? aside)
    {
        var rows = new List<IRenderable>();
        if (progress is not null)
        {
            var crawl = progress.Crawl;
            rows.Add(
                new Markup(
                    $"[bold]{Markup.Escape(CrawlText.Title(crawl))}[/]  "
                        + $"[{CrawlText.Style(crawl.State)}]{CrawlText.State(crawl.State)}[/]  [grey]{Durations.Elapsed(crawl.Elapsed)}[/]"
                )
            );
            if (crawl.Spec.MaxPages is { } limit)
            {
                rows.Add(Bar(crawl.Pages - crawl.Redirects, limit));
            }

            rows.Add(Numbers(progress));
            if (Forecast(progress) is { } forecast)
            {
                rows.Add(new Markup($"[grey]{forecast}[/]"));
            }

            aside ??= crawl.Note;
        }

        if (aside is not null)
        {
            rows.Add(new Markup($"[yellow]{Markup.Escape(Terminal.Clean(aside))}[/]"));
        }

        return new Rows(rows);
    }

    /// <summary><c>━━━━━━──── 340 of 1,000 pages</c></summary>
    public static Markup Bar(long pages, long limit)
    {
        var share = limit <= 0 ? 1 : Math.Clamp((double)pages / limit, 0, 1);
        var filled = (int)(share * BarWidth);
        return new Markup(
            $"[green]{new string('━', filled)}[/][grey]{new string('─', BarWidth - filled)}[/]  {Counts.Format(pages)} of "
                + $"{Counts.Format(limit)} pages"
        );
    }

    /// <summary>
    /// How long it takes at the rate of the last seconds: <c>at least 3 min 10 s to go</c>, as pages that are fetched may link to others,
    /// or <c>about 12 s to go</c>, where more is queued than the crawl may still fetch. Null while nothing is known.
    /// </summary>
    public static string? Forecast(FollowEvent.Progress progress)
    {
        var crawl = progress.Crawl;
        if (crawl.State != CrawlState.Running || crawl.Queued <= 0 || progress.PagesPerSecond <= 0)
        {
            return null;
        }

        var allowed = crawl.Spec.MaxPages is { } limit ? Math.Max(0, limit - crawl.Pages + crawl.Redirects) : long.MaxValue;
        var seconds = Math.Min(crawl.Queued, allowed) / progress.PagesPerSecond;
        return seconds < LongestForecast.TotalSeconds
            ? $"{(crawl.Queued < allowed ? "at least" : "about")} {Durations.Elapsed(TimeSpan.FromSeconds(seconds))} to go"
            : null;
    }

    private static Markup Numbers(FollowEvent.Progress progress)
    {
        var crawl = progress.Crawl;
        var parts = new[]
        {
            Part("done", Counts.Format(crawl.Pages), "green"),
            Part("queued", Counts.Format(crawl.Queued), "blue"),
            Part("failed", Counts.Format(crawl.Failed), crawl.Failed > 0 ? "red" : "grey"),
            Part("skipped", Counts.Format(crawl.Skipped), "grey"),
            $"{Counts.Rate(progress.PagesPerSecond)}",
            $"[grey]{Counts.Of(crawl.Hosts, "host", "hosts")}[/]",
            $"[grey]{Sizes.Format(crawl.Bytes)}[/]",
        };
        return new Markup(string.Join("   ", parts));
    }

    private static string Part(string label, string number, string style) => $"[grey]{label}[/] [{style}]{number}[/]";
}
