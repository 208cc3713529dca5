using CsCheck;
using Grains.Crawling.Frontier;
using Xunit;

namespace Unit.Crawling;

public sealed class HostQueueTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddYears(50);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly HostQueue _queue = NewQueue();

    /// <summary>http and https share a host, and not a robots.txt.</summary>
    [Fact]
    public void WhatDoesNotBeginWithAPrefixIsFoundBehindWhatDoes()
    {
        var queue = new HostQueue();
        queue.Ready.EndLoad([], isLast: true);
        queue.Later.EndLoad([], isLast: true);
        queue.Add(new(QueueEntry.Ready(1), "http://a/1", 0, null, 0));
        queue.Add(new(QueueEntry.Ready(2), "https://a/2", 0, null, 0));
        queue.Add(new(QueueEntry.Later(DateTimeOffset.UnixEpoch.AddSeconds(9), 3), "https://a/3", 0, null, 1));

        Assert.Equal("https://a/2", queue.Peek(DateTimeOffset.UnixEpoch, "http://a/")!.Url);
        Assert.Equal("https://a/3", queue.Peek(DateTimeOffset.UnixEpoch.AddSeconds(9), "http://a/")!.Url);
        Assert.Equal("http://a/1", queue.Peek(DateTimeOffset.UnixEpoch.AddSeconds(9), "https://a/")!.Url);
        Assert.Null(queue.Peek(DateTimeOffset.UnixEpoch.AddSeconds(9), "http"));
    }

    [Fact]
    public void LeasesOfASiloThatDiedEndSoonAndNoOthers()
    {
        foreach (var (number, silo) in new[] { (1, "S1"), (2, "S2"), (3, "S1"), (4, null) })
        {
            _queue.Add(Ready(number));
            _queue.Lease(Ready(number), number, Start + (number * 10 * Second), silo);
        }

        _queue.EndBy("S1", Start + (15 * Second));

        Assert.Equal([Ready(1)], _queue.EndOver(Start + (10 * Second)));
        Assert.Equal([Ready(3)], _queue.EndOver(Start + (15 * Second)));
        Assert.Equal([Ready(2)], _queue.EndOver(Start + (20 * Second)));
        Assert.Equal([Ready(4)], _queue.EndOver(Start + (40 * Second)));
    }

    [Fact]
    public void FirstComeFirstServed()
    {
        _queue.Add(Ready(2));
        _queue.Add(Ready(1));

        Assert.Equal(Ready(1), _queue.Peek(Start));
    }

    [Fact]
    public void ARetryWhoseTimeHasComeGoesFirst()
    {
        var late = Later(Start + Second, 9);
        _queue.Add(Ready(1));
        _queue.Add(late);

        Assert.Equal(Ready(1), _queue.Peek(Start + Second - TimeSpan.FromTicks(1)));
        Assert.Equal(late, _queue.Peek(Start + Second));
    }

    [Fact]
    public void AFetchNeverReportedGoesBackToTheHeadWhenItsLeaseEnds()
    {
        _queue.Add(Ready(1));
        _queue.Add(Ready(2));
        _queue.Lease(Ready(1), number: 7, Start + Second);

        Assert.Equal(0, Expire(_queue, Start + Second - TimeSpan.FromTicks(1)));
        Assert.Equal(Ready(2), _queue.Peek(Start));
        Assert.Equal(1, Expire(_queue, Start + Second));
        Assert.Equal(Ready(1), _queue.Peek(Start));
    }

    [Fact]
    public void AReportCountsOnceAndOnlyUnderTheLeaseThatIsHeld()
    {
        _queue.Add(Ready(1));
        _queue.Lease(Ready(1), number: 7, Start + Second);

        Assert.Null(_queue.End(Ready(1).Url, number: 6));
        Assert.Equal(Ready(1), _queue.End(Ready(1).Url, number: 7));
        Assert.Null(_queue.End(Ready(1).Url, number: 7));
    }

    [Fact]
    public void TheFirstAndTheLastEndOfALeaseAreKnown()
    {
        Assert.Null(_queue.NextLeaseEnd);
        Assert.Null(_queue.LastLeaseEnds);
        _queue.Lease(Ready(1), 1, Start + (3 * Second));
        _queue.Lease(Ready(2), 2, Start + Second);

        Assert.Equal(Start + Second, _queue.NextLeaseEnd);
        Assert.Equal(Start + (3 * Second), _queue.LastLeaseEnds);
        Assert.True(_queue.IsHeld(Ready(2).Url, out var number));
        Assert.Equal(2, number);
    }

    [Fact]
    public void ItDoesWhatANaiveQueueDoes() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 9])
            .Array[1, 80]
            .Sample(
                steps =>
                {
                    var queue = NewQueue();
                    var naive = new List<(QueueEntry Entry, long Number, DateTimeOffset Until)>(); // Number 0: nobody has it.
                    var now = Start;
                    var numbers = 0;
                    foreach (var (step, x) in steps)
                    {
                        now += Second;
                        var turn = naive
                            .Where(one => one.Number == 0 && one.Entry.Due <= now)
                            .OrderBy(one => one.Entry.Due == DateTimeOffset.MinValue)
                            .ThenBy(one => one.Entry.Key, StringComparer.Ordinal)
                            .Select(one => one.Entry)
                            .FirstOrDefault();
                        Assert.Equal(turn, queue.Peek(now));
                        if (step == 0)
                        {
                            var entry = x < 5 ? Ready(++numbers) : Later(now + ((x - 5) * Second), ++numbers);
                            queue.Add(entry);
                            naive.Add((entry, 0, default));
                        }
                        else if (step == 1 && turn is not null)
                        {
                            queue.Lease(turn, ++numbers, now + (x * Second));
                            naive = [.. naive.Select(one => one.Entry == turn ? (turn, numbers, now + (x * Second)) : one)];
                        }
                        else if (step == 2 && naive.Find(one => one.Number > 0) is { Number: > 0 } held)
                        {
                            Assert.Equal(held.Entry, queue.End(held.Entry.Url, held.Number));
                            naive.Remove(held);
                        }
                        else if (step == 3)
                        {
                            Assert.Equal(naive.Count(one => one.Number > 0 && one.Until <= now), Expire(queue, now));
                            naive = [.. naive.Select(one => one.Number > 0 && one.Until <= now ? (one.Entry, 0, default) : one)];
                        }

                        Assert.Equal(naive.Count(one => one.Number > 0), queue.Leased);
                    }
                },
                iter: 5_000
            );

    private static HostQueue NewQueue()
    {
        var queue = new HostQueue();
        queue.Ready.EndLoad([], isLast: true);
        queue.Later.EndLoad([], isLast: true);
        return queue;
    }

    private static QueueEntry Ready(int number) => new(QueueEntry.Ready(number), $"http://a/{number}", 0, null, 0);

    private static QueueEntry Later(DateTimeOffset due, int number) => new(QueueEntry.Later(due, number), $"http://a/{number}", 0, null, 1);

    /// <summary>
    /// Leases whose time is up go back to their places, as their host does with a page that is not to blame. Answers how many.
    /// </summary>
    private static int Expire(HostQueue queue, DateTimeOffset now)
    {
        var over = queue.EndOver(now);
        over.ForEach(queue.Add);
        return over.Count;
    }
}
