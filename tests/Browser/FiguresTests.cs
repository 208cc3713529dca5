using System.Diagnostics;
using Xunit;

namespace Browser;

/// <summary>
/// What the page costs, in figures that are printed and depend on the machine: nothing is asserted of them. Alone on a silo of its own:
/// <c>dotnet run -c Release --project tests/Browser -- --filter-trait "Kind=Figures" --show-live-output on</c>
/// </summary>
[Trait("Kind", "Figures")]
public sealed class FiguresTests(Chromium chromium, ITestOutputHelper output)
{
    private const int Viewers = 50;

    private const int Loads = 10;

    /// <summary>Of one measurement of the processor.</summary>
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task WhatTheFirstPictureAPageOnARunningCrawlAndFiftyViewersCost()
    {
        using var place = new SiloPlace();
        await using var silo = await SiloProcess.StartReady(place, PageSilo.Settings);
        using var process = Process.GetProcessById(silo.ProcessId);
        var home = new Uri($"http://{place.Http}/");
        await using var visitor = await chromium.Visit(home);
        await FirstPaint(visitor);
        await RunningCrawl(place, process, visitor);
        await visitor.Page.GotoAsync("about:blank");
        await Memory(process, home);
    }

    private async Task FirstPaint(Visitor visitor)
    {
        var paints = new List<double>();
        for (var load = 0; load < Loads; load++)
        {
            await visitor.Open("/");
            paints.Add(await visitor.Page.EvaluateAsync<double>("performance.getEntriesByName('first-contentful-paint')[0].startTime"));
        }

        paints.Sort();
        Say($"first contentful paint of {Loads} loads: median {paints[Loads / 2]:0} ms, worst {paints[^1]:0} ms");
    }

    private async Task RunningCrawl(SiloPlace place, Process process, Visitor visitor)
    {
        await using var site = await WebSite.Start(Doubles.Net.LoopbackNetwork.Instance);
        site.Otherwise = target => SiteAnswer.Links($"{target.TrimEnd('/')}/0", $"{target.TrimEnd('/')}/1");
        string[] start = ["crawl", "start", site.UrlOf("/"), "--name", "endless", "--delay", "50ms", "--allow-private", "127.0.0.0/8"];
        await using var console = await ConsoleProcess.Reach([.. start, "--gateway", place.Gateway.ToString()]);
        Assert.True(await console.Exit == 0, console.Said);

        for (var round = 1; round <= 3; round++)
        {
            await visitor.Page.GotoAsync("about:blank");
            var without = await Share(process);
            await visitor.Open("/crawls/endless");
            var with = await Share(process);
            Say(
                $"a running crawl, round {round}: {without:0.0} % of a core, with a page open on it {with:0.0} %: {with - without:+0.0;-0.0}"
            );
        }
    }

    private async Task Memory(Process process, Uri home)
    {
        var visitors = new List<Visitor>();
        try
        {
            var before = WorkingSet(process);
            for (var number = 0; number < Viewers; number++)
            {
                var visitor = await chromium.Visit(home);
                visitors.Add(visitor);
                await visitor.Open("/");
            }

            var after = WorkingSet(process);
            Say($"{Viewers} viewers of the books: {before:0} MiB before, {after:0} MiB with them: {after - before:+0;-0}");
            Say($"all of them for {Length.TotalSeconds:0} s: {await Share(process):0.0} % of a core");
        }
        finally
        {
            foreach (var visitor in visitors)
            {
                await visitor.DisposeAsync();
            }
        }
    }

    /// <summary>Processor time of the silo in per cent of one core.</summary>
    private static async Task<double> Share(Process process)
    {
        process.Refresh();
        var (since, before) = (Stopwatch.GetTimestamp(), process.TotalProcessorTime);
        await Task.Delay(Length, TestContext.Current.CancellationToken);
        process.Refresh();
        return (process.TotalProcessorTime - before) / Stopwatch.GetElapsedTime(since) * 100;
    }

    private static double WorkingSet(Process process)
    {
        process.Refresh();
        return process.WorkingSet64 / (1024.0 * 1024);
    }

    private void Say(FormattableString line) => output.WriteLine(FormattableString.Invariant(line));
}
