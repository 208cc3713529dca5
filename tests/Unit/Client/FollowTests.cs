using System.Collections.Immutable;
using Client.Crawling;
using Grains.Interfaces.Crawling;
using Spectre.Console;
using Xunit;

namespace Unit.Client;

public sealed class FollowTests
{
    private readonly ConsoleInMemory _console = new();

    [Fact]
    public async Task PipedItIsALineNowAndThenWithRateAndForecastAndASummary()
    {
        // Every look is four seconds after the one before: the third is the first that is due.
        _console.Pace = _console.Pace with { Say = TimeSpan.FromSeconds(5) };
        var kept = _console.Keep(
            ConsoleInMemory.Crawl(),
            ConsoleInMemory.Crawl() with
            {
                Pages = 8,
            },
            ConsoleInMemory.Crawl() with
            {
                Pages = 9,
                Queued = 8,
            },
            ConsoleInMemory.Crawl(state: CrawlState.Paused),
            ConsoleInMemory.Crawl(state: CrawlState.Done) with
            {
                Pages = 17,
                Queued = 0,
            }
        );

        kept.OnLook = _ => _console.Clock.Advance(TimeSpan.FromSeconds(4));

        var printed = await _console.Run("crawl", "follow", "shop");

        Assert.Equal(ExitCode.Done, printed.Code);
        Assert.Equal(
            [
                "12.5 s running: 7 done, 10 queued, 1 failed, 2 skipped, 0.0/s, 1 host, 4 KB",
                "12.5 s running: 9 done, 8 queued, 1 failed, 2 skipped, 0.3/s, at least 32.0 s to go, 1 host, 4 KB",
                "12.5 s paused: 7 done, 10 queued, 1 failed, 2 skipped, 0.0/s, 1 host, 4 KB",
                "Crawl shop (abcdefghi0) is done after 12.5 s: 17 done, 0 queued, 1 failed, 2 skipped.",
            ],
            printed.Lines
        );
    }

    [Fact]
    public async Task ACrawlOfWhichNoSeedWasFetchedSaysWhichAndWhyAndFails()
    {
        _console.Keep(
            ConsoleInMemory.Crawl(state: CrawlState.Done) with
            {
                Pages = 0,
                Queued = 0,
                Reasons = ImmutableSortedDictionary<string, long>.Empty.Add("robots", 2).Add("unreachable", 1),
                Seeds = new(
                    Fetched: 0,
                    NotFetched: 12,
                    [new("http://gone.example/", "unreachable", "The name gone.example has no address: HostNotFound.")],
                    MoreTroubles: 11
                ),
            }
        );

        var followed = await _console.Run("crawl", "follow", "shop");
        var shown = await _console.Run("crawl", "show", "shop");
        var json = await _console.Run("crawl", "show", "shop", "--json");

        Assert.Equal(
            [
                "seed http://gone.example/: unreachable. The name gone.example has no address: HostNotFound.",
                "and 11 more seeds; crawl export abcdefghi0 --all has each",
                "Crawl shop (abcdefghi0) is done after 12.5 s: 0 done, 0 queued, 1 failed, 2 skipped (robots 2, unreachable 1).",
            ],
            followed.Lines
        );
        Assert.Equal((ExitCode.Failed, "No seed was fetched.\n"), (followed.Code, followed.Error));
        Assert.Equal((ExitCode.Failed, "No seed was fetched.\n"), (shown.Code, shown.Error));
        Assert.Contains("reasons   robots 2, unreachable 1", shown.Lines);
        Assert.Equal(ExitCode.Failed, json.Code);
        Assert.Contains(
            """
            "reasons":{"robots":2,"unreachable":1},"seeds":{"fetched":0,"notFetched":12,"troubles":[{"url":"http://gone.example/","reason":"unreachable","says":"The name gone.example has no address: HostNotFound."}],"moreTroubles":11}
            """.Trim(),
            json.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task ACrawlOfWhichSomeSeedsWereFetchedNamesTheOthersAndIsDone()
    {
        _console.Keep(
            ConsoleInMemory.Crawl(state: CrawlState.Done) with
            {
                Seeds = new(
                    Fetched: 1,
                    NotFetched: 1,
                    [new("http://b.example/", "tls", "No secure connection to b.example.")],
                    MoreTroubles: 0
                ),
            }
        );

        var printed = await _console.Run("crawl", "follow", "shop");

        Assert.Equal(ExitCode.Done, printed.Code);
        Assert.Equal("seed http://b.example/: tls. No secure connection to b.example.", printed.Lines[0]);
    }

    [Fact]
    public async Task ASiloThatIsGoneIsLookedForUntilItAnswers()
    {
        var crawl = _console.Keep(
            ConsoleInMemory.Crawl(),
            ConsoleInMemory.Crawl(),
            ConsoleInMemory.Crawl(),
            ConsoleInMemory.Crawl(state: CrawlState.Done)
        );
        crawl.OnLook = look =>
        {
            if (look == 1)
            {
                throw new SiloUnavailableException("It was killed.");
            }
        };
        _console.OnOpen = open =>
        {
            if (open is 1 or 2)
            {
                throw new ConsoleException("No silo was reached.", ExitCode.NoSilo);
            }
        };

        var printed = await _console.Run("crawl", "follow", "shop");

        Assert.Equal((ExitCode.Done, 4), (printed.Code, _console.Opens));
        Assert.Equal(
            "The silo does not answer; looking for it. Nothing is lost: the crawl goes on when a silo does.\nA silo answers "
                + "again, after 0.0 s.\n",
            printed.Error
        );
    }

    [Fact]
    public async Task ASiloThatDoesNotComeBackEndsItAfterFiveMinutes()
    {
        _console.Clock.AutoAdvanceAmount = TimeSpan.FromMinutes(1);
        _console.Keep(ConsoleInMemory.Crawl()).OnLook = look => throw new SiloUnavailableException("It was killed.");
        _console.OnOpen = open =>
        {
            if (open > 0)
            {
                throw new ConsoleException("No silo was reached.", ExitCode.NoSilo);
            }
        };

        var printed = await _console.Run("crawl", "follow", "shop");

        Assert.Equal((ExitCode.NoSilo, 7), (printed.Code, _console.Opens));
    }

    [Theory]
    [InlineData(false, "The crawl goes on without you; watch it again with: crawl follow abcdefghi0\n")]
    [InlineData(true, """{"error":"The crawl goes on without you; watch it again with: crawl follow abcdefghi0"}""" + "\n")]
    public async Task WhoLeavesGetsTheLastNumbersAndLeavesTheCrawlAlone(bool json, string sentence)
    {
        using var leave = new CancellationTokenSource();
        _console.CtrlC = leave.Token;
        var crawl = _console.Keep(ConsoleInMemory.Crawl());
        crawl.OnLook = look =>
        {
            if (look == 2)
            {
                leave.Cancel();
            }
        };

        var printed = await _console.Run(["crawl", "follow", "shop", .. json ? ["--json"] : Array.Empty<string>()]);

        Assert.Equal((ExitCode.Failed, sentence), (printed.Code, printed.Error));
        Assert.Contains(json ? "\"state\":\"running\"" : "7 done", printed.Lines[^1], StringComparison.Ordinal);
        Assert.Empty(crawl.Controls);
    }

    [Fact]
    public async Task ACancelledCrawlEndsItWithAFailure()
    {
        _console.Keep(ConsoleInMemory.Crawl(state: CrawlState.Cancelled));

        Assert.Equal(ExitCode.Failed, (await _console.Run("crawl", "follow", "shop")).Code);
    }

    [Fact]
    public async Task ACrawlThatIsDeletedMeanwhileEndsItWithASentence()
    {
        _console.Keep(ConsoleInMemory.Crawl(), ConsoleInMemory.Crawl(state: CrawlState.Deleting));

        var printed = await _console.Run("crawl", "follow", "shop");

        Assert.Equal((ExitCode.Failed, "The crawl abcdefghi0 is not kept any more: it was deleted.\n"), (printed.Code, printed.Error));
    }

    [Theory]
    [InlineData(0, "────────────────────────────────────────  0 of 1,000 pages")]
    [InlineData(340, "━━━━━━━━━━━━━───────────────────────────  340 of 1,000 pages")]
    [InlineData(1000, "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  1,000 of 1,000 pages")]
    [InlineData(1001, "━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  1,001 of 1,000 pages")]
    public void TheBarFillsTowardsTheLimit(long pages, string bar) => Assert.Equal(bar, Draw(CrawlProgress.Bar(pages, 1000)));

    [Fact]
    public void OnATerminalItIsATitleABarAndTheNumbers()
    {
        var crawl = ConsoleInMemory.Crawl();

        var picture = Draw(
            CrawlProgress.Live(new(crawl with { Spec = crawl.Spec with { MaxPages = 14 }, Note = "Nothing moves." }, 28.44), aside: null)
        );

        Assert.Equal(
            """
            shop (abcdefghi0)  running  12.5 s
            ━━━━━━━━━━━━━━━━━━━━────────────────────  7 of 14 pages
            done 7   queued 10   failed 1   skipped 2   28.4/s   1 host   4 KB
            about 0.2 s to go
            Nothing moves.
            """,
            picture
        );
    }

    [Fact]
    public void WithoutALimitThereIsNoBar() =>
        Assert.Equal(2, Draw(CrawlProgress.Live(new(ConsoleInMemory.Crawl(), 0), aside: null)).Split('\n').Length);

    [Theory]
    [InlineData(10, 2, null, "at least 5.0 s to go")]
    [InlineData(10, 2, 100, "at least 5.0 s to go")]
    [InlineData(10, 2, 13, "about 3.0 s to go")]
    [InlineData(0, 2, null, null)]
    [InlineData(10, 0, null, null)]
    [InlineData(10, 1e-9, null, null)]
    public void WhatIsQueuedAndTheRateSayHowLongItTakesAtLeast(long queued, double rate, int? limit, string? forecast)
    {
        var crawl = ConsoleInMemory.Crawl() with { Queued = queued };
        crawl = crawl with { Spec = crawl.Spec with { MaxPages = limit } };

        Assert.Equal(forecast, CrawlProgress.Forecast(new(crawl, rate)));
        Assert.Null(CrawlProgress.Forecast(new(crawl with { State = CrawlState.Paused }, rate)));
    }

    [Fact]
    public void TheRateIsThatOfTheLastTenSeconds()
    {
        var meter = new RateMeter();
        var start = ConsoleInMemory.Start;

        Assert.Equal(0, meter.Next(start, 100));
        Assert.Equal(10, meter.Next(start.AddSeconds(5), 150));
        Assert.Equal(5, meter.Next(start.AddSeconds(10), 150));
        Assert.Equal(0, meter.Next(start.AddSeconds(15), 150));
    }

    private static string Draw(Spectre.Console.Rendering.IRenderable picture)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        var console = AnsiConsole.Create(
            new()
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = AnsiSupport.No,
                ColorSystem = ColorSystemSupport.NoColors,
            }
        );
        console.Profile.Width = 100;
        console.Profile.Capabilities.Unicode = true;
        console.Write(picture);
        return string.Join('\n', writer.ToString().TrimEnd().Split('\n').Select(line => line.TrimEnd()));
    }
}
