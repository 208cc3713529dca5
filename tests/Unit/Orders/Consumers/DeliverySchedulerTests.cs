using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Grains.Storage;
using Xunit;

namespace Unit.Orders.Consumers;

public sealed class DeliverySchedulerTests
{
    private static readonly DeliveryResult Refused = DeliveryResult.Later("busy", "It said so.");
    private static readonly DeliveryResult Failed = DeliveryResult.Failed("no address", "There is none.");

    private readonly SchedulerInMemory _it = new();

    [Fact]
    public void WhatIsKeptOfAChangeIsInTheCommitOfItsCursor()
    {
        _it.Take("a", "b");
        var begun = _it.Begin();
        _it.Scheduler.Finish(begun[0], DeliveryResult.Done([RowChange.Put("mine.1", ReadOnlyMemory<byte>.Empty)]));
        _it.Commit();

        Assert.Equal(["mine.1"], _it.Keys);
        Assert.Equal((2, 1, 1), (_it.Head.Cursor, _it.Head.In, _it.Head.Done));
    }

    [Fact]
    public void AChangeThatCameAlreadyOrComesTooEarlyIsNotTaken()
    {
        var (first, second, third) = (_it.Next("a"), _it.Next("b"), _it.Next("c"));
        _it.Scheduler.Take([first]);
        _it.Scheduler.Take([first]);
        _it.Scheduler.Take([third]);
        Assert.Equal(2, _it.Scheduler.Next);
        _it.Scheduler.Take([first, second, third]);
        Assert.Equal(4, _it.Scheduler.Next);
    }

    [Fact]
    public void ChangesOfDifferentOrdersAreHandledSideBySideUpToTheBound()
    {
        _it.Take("a", "b", "c");
        Assert.Equal([1, 2], _it.Begun());
    }

    [Fact]
    public void ChangesOfOneOrderAreHandledOneAfterTheOther()
    {
        _it.Take("a", "a", "b");
        var begun = _it.Begin();
        Assert.Equal([1, 3], begun.Select(item => item.Revision));
        _it.Scheduler.Finish(begun[0], DeliveryResult.Done());
        Assert.Equal([2], _it.Begun());
    }

    [Fact]
    public void TheCursorDoesNotPassAChangeThatHasJustBegun()
    {
        _it.Take("a", "b");
        _it.Scheduler.Finish(_it.Begin()[1], DeliveryResult.Done());
        Assert.False(_it.Scheduler.WantsCommit);
    }

    [Fact]
    public void AChangeThatTakesLongerThanAMomentIsPutAmongThoseThatWait()
    {
        _it.Take("slow", "b");
        var begun = _it.Begin();
        _it.Scheduler.Finish(begun[1], DeliveryResult.Done());
        Assert.Equal(Given.Start + DeliveryScheduler.Grace, _it.Scheduler.NextTime);
        _it.Clock.Advance(DeliveryScheduler.Grace);
        Assert.True(_it.Scheduler.WantsCommit);
        _it.Commit();
        Assert.Equal(["w.1"], _it.Keys);
        Assert.Equal((3, 2, 1, 1), (_it.Head.Cursor, _it.Head.In, _it.Head.Done, _it.Head.Waiting));

        _it.Scheduler.Finish(begun[0], DeliveryResult.Done([RowChange.Put("mine.1", ReadOnlyMemory<byte>.Empty)]));
        _it.Commit();
        Assert.Equal(["mine.1"], _it.Keys);
        Assert.Equal((2, 0), (_it.Head.Done, _it.Head.Waiting));
    }

    [Fact]
    public void WhatWasBeingHandledWhenTheOwnerEndedIsHandledAgain()
    {
        _it.Take("slow");
        _it.Begin();
        _it.Clock.Advance(DeliveryScheduler.Grace);
        _it.Commit();
        _it.Restart();
        Assert.Equal([1], _it.Begun());
    }

    [Fact]
    public void WhatFailedIsTriedAgainWhenItIsDueAndOthersGoOn()
    {
        _it.Take("a", "b");
        var begun = _it.Begin();
        _it.Scheduler.Finish(begun[0], Refused);
        _it.Scheduler.Finish(begun[1], DeliveryResult.Done());
        _it.Commit();
        Assert.Equal((3, 1, 1), (_it.Head.Cursor, _it.Head.Done, _it.Head.Waiting));

        _it.Clock.Advance(TimeSpan.FromSeconds(1) - TimeSpan.FromTicks(1));
        Assert.Empty(_it.Begun());
        _it.Clock.Advance(TimeSpan.FromTicks(1));
        var again = Assert.Single(_it.Begin());
        Assert.Equal((1, 2), (again.Revision, again.Attempts));
    }

    [Fact]
    public void AnOrdersLaterChangesWaitBehindTheOneThatIsTriedAgain()
    {
        _it.Take("a", "a", "b");
        _it.Scheduler.Finish(_it.Begin()[0], Refused);
        _it.Commit();
        Assert.Equal(["w.1", "w.2"], [.. _it.Keys.Order()]);

        _it.Clock.Advance(TimeSpan.FromSeconds(1));
        var again = Assert.Single(_it.Begin());
        Assert.Equal(1, again.Revision);
        _it.Scheduler.Finish(again, DeliveryResult.Done());
        Assert.Equal([2], _it.Begun());
    }

    [Fact]
    public void TheyWaitBehindItOverARestart()
    {
        _it.Take("a", "a");
        _it.Scheduler.Finish(_it.Begin()[0], Refused);
        _it.Commit();
        _it.Restart();
        Assert.Empty(_it.Begun());
        _it.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([1], _it.Begun());
    }

    [Fact]
    public void WithoutTheRuleLaterChangesGoOn()
    {
        var it = new SchedulerInMemory(new() { Name = "it", KeepsOrder = false });
        it.Take("a", "a");
        it.Scheduler.Finish(it.Begin()[0], Refused);
        Assert.Equal([2], it.Begun());
    }

    [Fact]
    public void AfterTheLastAttemptItIsADeadLetterWithItsHistory()
    {
        _it.Take("a", "a");
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            _it.Scheduler.Finish(_it.Begin()[0], Refused);
            _it.Commit();
            _it.Clock.Advance(TimeSpan.FromSeconds(5));
        }

        var letter = OrderJson.Read<KeptChangeRow>(_it.Rows[SubscriberTable.Dead(1)]);
        Assert.Equal(("busy", "It said so.", 3), (letter.Reason, letter.Detail, letter.History.Length));
        Assert.Equal([Given.Start, Given.Start.AddSeconds(5), Given.Start.AddSeconds(10)], letter.History.Select(tried => tried.At));
        Assert.Equal(1, _it.Head.Dead["busy"]);
        Assert.Equal([2], _it.Begun());
    }

    [Fact]
    public void WhatFailsForGoodIsADeadLetterAtOnce()
    {
        _it.Take("a");
        _it.HandleAll(Failed);
        _it.Commit();
        Assert.Equal(["d.1"], _it.Keys);
        Assert.Equal((2, 1, 0, 0), (_it.Head.Cursor, _it.Head.Dead["no address"], _it.Head.Done, _it.Head.Waiting));
    }

    [Fact]
    public void WhenAsManyWaitAsMayTheCursorStands()
    {
        for (var i = 0; i < DeliveryScheduler.MaxWaiting + 10; i += 10)
        {
            _it.Take([.. Enumerable.Range(i, 10).Select(number => $"o{number}")]);
            while (_it.Scheduler.Begin() is { } item)
            {
                _it.Scheduler.Finish(item, Refused);
            }

            _it.Commit();
        }

        Assert.Equal((DeliveryScheduler.MaxWaiting + 1, DeliveryScheduler.MaxWaiting), (_it.Head.Cursor, _it.Head.Waiting));
        Assert.Equal("1,000 changes wait to be tried again, more may not", _it.Scheduler.Halt);
    }

    [Fact]
    public void NoMoreThanTheWindowIsTaken()
    {
        _it.Take([.. Enumerable.Range(0, DeliveryScheduler.MaxWindow + 1).Select(number => $"o{number}")]);
        Assert.Equal((0, DeliveryScheduler.MaxWindow + 1), (_it.Scheduler.Room, _it.Scheduler.Next));
    }

    [Fact]
    public void AStoppedDeskTakesAndBeginsNothing()
    {
        _it.Take("a");
        _it.Scheduler.Stop("its cursor is beyond the feed's head");
        _it.Scheduler.Take([_it.Next("b")]);

        Assert.Empty(_it.Begun());
        Assert.Equal(("its cursor is beyond the feed's head", 0, 2L), (_it.Scheduler.Halt, _it.Scheduler.Room, _it.Scheduler.Next));
        Assert.Null(_it.Scheduler.NextTime);
    }

    [Fact]
    public void AHaltingSubscriberTriesTheSameChangeUntilItSucceeds()
    {
        var it = new SchedulerInMemory(
            new()
            {
                Name = "it",
                Halts = true,
                Backoff = [TimeSpan.FromSeconds(1)],
            }
        );
        it.Take("a", "b");
        it.Scheduler.Finish(it.Begin()[0], Failed);
        Assert.False(it.Scheduler.WantsCommit);
        Assert.Equal("revision 1 is tried again and again: no address: There is none.", it.Scheduler.Halt);

        it.Clock.Advance(TimeSpan.FromSeconds(1));
        it.HandleAll(DeliveryResult.Done());
        it.Commit();
        Assert.Equal(2, it.Head.Cursor);
    }

    [Fact]
    public void ARowIsChangedOnceInACommit()
    {
        _it.Take("a", "b");
        foreach (var item in _it.Begin())
        {
            _it.Scheduler.Finish(item, DeliveryResult.Done([RowChange.Put("mine", new byte[] { (byte)item.Revision })]));
        }

        _it.Commit(); // Of two commits, or the store would refuse it.
        Assert.Equal([2], _it.Rows["mine"]);
    }

    [Fact]
    public void RowsOfASubscribersOwnDoNotMeetThoseOfAll() =>
        Assert.Throws<ArgumentException>(() => DeliveryResult.Done([RowChange.Put("w.1", ReadOnlyMemory<byte>.Empty)]));

    [Fact]
    public void WhatIsErasedInMemoryIsNotWrittenLater()
    {
        _it.Take("a");
        _it.Scheduler.Finish(_it.Begin()[0], Refused);
        _it.Scheduler.Erase(new HashSet<OrderId> { Given.Id("a") });
        _it.Commit();
        Assert.Equal(
            Erasure.Customer,
            OrderJson.Read<KeptChangeRow>(Assert.Single(_it.Rows, row => row.Key[0] == 'w').Value).Order.Customer
        );
    }

    /// <summary>
    /// A thousand random runs beside what is right by definition: nothing is lost, none goes on before its order's earlier one, and the
    /// books balance in each commit.
    /// </summary>
    [Fact]
    public void WhateverHappensEveryChangeEndsOnceAndInOrder()
    {
        for (var seed = 1; seed <= 200; seed++)
        {
            var random = new Random(seed);
            var it = new SchedulerInMemory(
                new()
                {
                    Name = "it",
                    AtOnce = 3,
                    Backoff = [TimeSpan.FromSeconds(1)],
                }
            );
            var changes = Enumerable.Range(0, 40).Select(_ => it.Next($"o{random.Next(6)}")).ToList();
            var running = new List<ChangeItem>();
            for (var step = 0; step < 20_000 && !(it.Rows.Count > 0 && it.Head.Cursor > changes.Count && it.Head.Waiting == 0); step++)
            {
                switch (random.Next(7))
                {
                    case 0:
                        it.Scheduler.Take([.. changes.Skip((int)it.Scheduler.Next - 1).Take(5)]);
                        break;
                    case 1:
                        running.AddRange(it.Begin());
                        Assert.Equal(running.Count, running.Select(item => item.OrderId).Distinct().Count());
                        break;
                    case 2 or 3 when running.Count > 0:
                        var item = running[random.Next(running.Count)];
                        running.Remove(item);
                        it.Scheduler.Finish(
                            item,
                            random.Next(4) switch
                            {
                                0 => Refused,
                                1 => Failed,
                                _ => DeliveryResult.Done([RowChange.Put($"mine.{item.Revision}", ReadOnlyMemory<byte>.Empty)]),
                            }
                        );
                        break;
                    case 4:
                        it.Commit();
                        break;
                    case 5:
                        it.Clock.Advance(TimeSpan.FromMilliseconds(random.Next(600)));
                        break;
                    case 6 when random.Next(20) == 0 && it.Rows.Count > 0:
                        it.Restart();
                        running.Clear();
                        break;
                }
            }

            it.Commit();
            var ended = it.Keys.Select(key => key.Split('.')).ToList();
            Assert.Equal(changes.Count, it.Head.Cursor - 1);
            Assert.DoesNotContain(ended, key => key[0] == "w");
            Assert.Equal(
                Enumerable.Range(1, changes.Count).Select(i => $"{i}"),
                ended.Select(key => key[1]).OrderBy(text => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture))
            );
        }
    }
}
