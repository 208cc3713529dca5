using Doubles.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Tail;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Logs.Reading;

public sealed class TailViewerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void OnlyWhatMatchesWaitsInTheOrderInWhichItIsOffered()
    {
        using var viewer = new TailViewer(LogQuery.Parse("body:line"));
        Offer(viewer, "line 2", "other", "line 1");

        var (bodies, missed) = Taken(viewer);
        Assert.Equal(["line 2", "line 1"], bodies);
        Assert.Equal(0, missed);
        Assert.Empty(Taken(viewer).Bodies);
    }

    [Fact]
    public void WhatFindsNoRoomIsCountedAndWhatComesAfterATakeFindsRoomAgain()
    {
        using var viewer = new TailViewer(LogQuery.Parse(""));
        Offer(viewer, SomeLogs.Bodies(TailViewer.MaxRecords + 7));
        viewer.Miss(5, ["logs/a"]);

        var (bodies, missed) = Taken(viewer);
        Assert.Equal(SomeLogs.Bodies(TailViewer.MaxRecords), bodies);
        Assert.Equal(12, missed);
        Offer(viewer, "next");
        (bodies, missed) = Taken(viewer);
        Assert.Equal(["next"], bodies);
        Assert.Equal(0, missed);
    }

    [Fact]
    public void LargeRecordsAreBoundedByTheirBytes()
    {
        using var viewer = new TailViewer(LogQuery.Parse(""));
        var large = new string('x', 1024 * 1024);
        Offer(viewer, large, large, large, large, large, large);

        // Room is looked for before a record and not after it.
        var (bodies, missed) = Taken(viewer);
        Assert.Equal((4, 2), (bodies.Length, missed));
    }

    [Fact]
    public async Task WhoeverWaitsIsToldWhenSomethingMatchesAndWhenNothingCame()
    {
        using var viewer = new TailViewer(LogQuery.Parse("body:line"));
        Offer(viewer, "other");
        var clock = new FakeTimeProvider();
        var wait = viewer.Wait(TimeSpan.FromSeconds(1), clock, Cancel);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await wait);

        wait = viewer.Wait(TimeSpan.FromSeconds(1), clock, Cancel);
        Offer(viewer, "line", "line");
        Assert.True(await wait);
        Assert.Equal(2, Taken(viewer).Bodies.Length);
    }

    [Fact]
    public void WhoeverLeftIsOfferedNothing()
    {
        var viewer = new TailViewer(LogQuery.Parse(""));
        viewer.Dispose();

        Offer(viewer, "line");
        viewer.Dispose();
    }

    private static void Offer(TailViewer viewer, params string[] bodies)
    {
        var block = SomeLogs.Block("shop", bodies);
        for (var record = 0; record < block.Count; record++)
        {
            viewer.Offer(block[record]);
        }
    }

    private static (string[] Bodies, long Missed) Taken(TailViewer viewer)
    {
        var page = viewer.Take();
        Assert.Null(page.Wrong);
        return (
            [.. Enumerable.Range(0, page.Records.Count).Select(record => System.Text.Encoding.UTF8.GetString(page.Records[record].Body))],
            page.Missed
        );
    }
}
