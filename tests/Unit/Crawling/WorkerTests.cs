using Grains.Crawling.Frontier;
using Grains.Crawling.Workers;
using Grains.Interfaces.Crawling;
using Xunit;

namespace Unit.Crawling;

/// <summary>Slots, the host's board of workers, and a worker's slots: how fetches are shared out.</summary>
public sealed class WorkerTests
{
    private static readonly CrawlId Crawl = new("abcdefghij");
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void TheSlotsOfAllWorkersAddUpToTheLimitOfTheCrawl()
    {
        foreach (var workers in Enumerable.Range(1, 20))
        {
            foreach (var parallel in Enumerable.Range(1, 100))
            {
                foreach (var crawl in (CrawlId[])[Crawl, new("0000000000"), new("zzzzzzzzzz")])
                {
                    var slots = Enumerable.Range(0, workers).Select(worker => WorkerSlots.Of(crawl, parallel, worker, workers)).ToList();
                    Assert.Equal(parallel, slots.Sum());
                    Assert.True(slots.Max() - slots.Min() <= 1);
                    Assert.Equal(slots.Max(), slots[WorkerSlots.First(crawl, workers)]);
                }
            }
        }
    }

    [Fact]
    public void AsManyWorkersAreToldAsHaveRoomForTheFetchesAndNoWorkerWithoutASlot()
    {
        Assert.Equal([WorkerSlots.First(Crawl, 8)], new WorkerBoard(Crawl, parallel: 1, workers: 8).Choose(100, Start));
        Assert.Equal(3, new WorkerBoard(Crawl, parallel: 16, workers: 8).Choose(5, Start).Count);
        Assert.Equal(8, new WorkerBoard(Crawl, parallel: 16, workers: 8).Choose(100, Start).Distinct().Count());
    }

    [Fact]
    public void WhoWasToldAndDidNotAskIsToldAgainAfterASecond()
    {
        var board = new WorkerBoard(Crawl, parallel: 1, workers: 1);
        Assert.Equal([0], board.Choose(1, Start));

        Assert.Empty(board.Choose(1, Start + Second - TimeSpan.FromTicks(1)));
        Assert.Equal([0], board.Choose(1, Start + Second));
    }

    [Fact]
    public void WhileNoWorkerAsksTheyAreToldMoreAndMoreRarely()
    {
        var board = new WorkerBoard(Crawl, parallel: 1, workers: 1);
        var told = new List<int>();
        for (var second = 0; second <= 200; second++)
        {
            if (board.Choose(1, Start + (second * Second)).Count > 0)
            {
                told.Add(second);
            }
        }

        Assert.Equal([0, 1, 3, 7, 15, 31, 63, 95, 127, 159, 191], told);
        Assert.Equal(Start + (223 * Second), board.RepeatAt(Start + (200 * Second)));
    }

    [Fact]
    public void OnceAWorkerHasAskedAnEventThatIsLostCostsASecondAgain()
    {
        var board = new WorkerBoard(Crawl, parallel: 1, workers: 1);
        board.Choose(1, Start);
        board.Choose(1, Start + Second);
        Assert.Equal(Start + (3 * Second), board.RepeatAt(Start + Second));
        board.Asked(worker: 0, wanted: 1, got: 0);

        Assert.Equal(Start + (2 * Second), board.RepeatAt(Start + Second));
        Assert.Equal([0], board.Choose(1, Start + (2 * Second)));
        Assert.Equal(Start + (3 * Second), board.RepeatAt(Start + (2 * Second)));
        Assert.Equal([0], board.Choose(1, Start + (3 * Second)));
    }

    [Fact]
    public void WhoGotAllItAskedForComesBackByItselfUntilALeaseEndsWithoutAReport()
    {
        var board = new WorkerBoard(Crawl, parallel: 4, workers: 1);
        board.Asked(worker: 0, wanted: 4, got: 4);

        Assert.Empty(board.Choose(1, Start + TimeSpan.FromDays(1)));
        board.Forget();
        Assert.Equal([0], board.Choose(1, Start));
    }

    [Fact]
    public void WhoGotLessIsToldAtOnceWhenThereIsMore()
    {
        var board = new WorkerBoard(Crawl, parallel: 4, workers: 1);
        board.Choose(1, Start);
        board.Asked(worker: 0, wanted: 4, got: 3);

        Assert.Equal([0], board.Choose(1, Start));
    }

    [Fact]
    public void WhileNothingCanBeGivenNobodyIsToldForASecond()
    {
        var board = new WorkerBoard(Crawl, parallel: 4, workers: 1);
        board.Hold(Start);
        board.Asked(worker: 0, wanted: 4, got: 0);

        Assert.Empty(board.Choose(1, Start + Second - TimeSpan.FromTicks(1)));
        Assert.Equal([0], board.Choose(1, Start + Second));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 1)]
    [InlineData(3, 3)]
    [InlineData(600, 10)]
    public void WhileSomethingIsAwaitedNobodyIsToldBeforeThatOrForTenSeconds(int until, int told)
    {
        var board = new WorkerBoard(Crawl, parallel: 4, workers: 1);
        board.Hold(Start, Start + (until * Second));

        Assert.Empty(board.Choose(1, Start + (told * Second) - TimeSpan.FromTicks(1)));
        Assert.Equal([0], board.Choose(1, Start + (told * Second)));
    }

    [Fact]
    public void TheNextToBeToldIsTheNextInTurn()
    {
        var board = new WorkerBoard(Crawl, parallel: 3, workers: 3);
        var first = board.Choose(1, Start)[0];
        var second = board.Choose(1, Start)[0];

        Assert.Equal((first + 1) % 3, second);
    }

    [Fact]
    public void PlacesOfAWorkerAreBoundedInAllAndForEachCrawl()
    {
        var slots = new FetchSlots(worker: 0, workers: 1, slots: 10);
        var other = new CrawlId("zzzzzzzzzz");

        Assert.Equal(4, slots.Free(Crawl, parallel: 4));
        Assert.Equal(10, slots.Free(Crawl, parallel: 40));
        slots.Take(Crawl, 3);
        Assert.Equal(1, slots.Free(Crawl, parallel: 4));
        Assert.Equal(7, slots.Free(other, parallel: 40));
        slots.Release(Crawl, 3);
        Assert.Equal(0, slots.InFlight);
        Assert.Equal(4, slots.Free(Crawl, parallel: 4));
    }

    [Fact]
    public void NoPlaceIsFreeWhenMoreAreTakenThanTheCrawlMayHaveNow()
    {
        var slots = new FetchSlots(worker: 0, workers: 1, slots: 10);
        slots.Take(Crawl, 5);

        Assert.Equal(0, slots.Free(Crawl, parallel: 4));
    }

    [Fact]
    public void TheHostThatWaitedLongestIsNextAmongThoseWhoseCrawlHasAPlace()
    {
        var slots = new FetchSlots(worker: 0, workers: 1, slots: 10);
        var other = new CrawlId("zzzzzzzzzz");
        slots.Take(Crawl, 1);
        slots.Note(Ready("a", Crawl));
        slots.Note(Ready("b", other));
        slots.Note(Ready("c", other));
        slots.Note(Ready("b", other));

        Assert.Equal("b", slots.Next()!.Host.Value);
        Assert.Equal("c", slots.Next()!.Host.Value);
        Assert.Null(slots.Next());
        Assert.True(slots.OthersWait(Crawl, new("x")));
        Assert.False(slots.OthersWait(Crawl, new("a")));
        slots.Release(Crawl, 1);
        Assert.Equal("a", slots.Next()!.Host.Value);
    }

    [Fact]
    public void AFullDeskNotesNoFurtherHost()
    {
        var slots = new FetchSlots(worker: 0, workers: 1, slots: FetchSlots.MaxWaiting * 2);
        for (var i = 0; i <= FetchSlots.MaxWaiting; i++)
        {
            slots.Note(Ready($"h{i}", Crawl));
        }

        var noted = 0;
        while (slots.Next() is not null)
        {
            noted++;
        }

        Assert.Equal(FetchSlots.MaxWaiting, noted);
    }

    private static HostReady Ready(string host, CrawlId crawl) => new(new(host), crawl, Parallel: 1);
}
