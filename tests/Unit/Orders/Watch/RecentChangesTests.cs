using Doubles.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Xunit;

namespace Unit.Orders.Watch;

public sealed class RecentChangesTests
{
    private readonly ChangesInMemory _feed = new(1);

    [Fact]
    public void OnlyTheNextChangeIsTaken()
    {
        var changes = Changes(3);
        var recent = new RecentChanges(0);
        Assert.Equal((1, 0), (recent.First, recent.Last));

        Assert.False(recent.Add(changes[1]));
        Assert.True(recent.Add(changes[0]));
        Assert.False(recent.Add(changes[0]));
        Assert.True(recent.Add(changes[1]));

        Assert.Equal((1, 2), (recent.First, recent.Last));
        Assert.Same(changes[1], recent[2].Change);
    }

    [Fact]
    public void TheOldestGoesFirstWhenThereAreTooMany()
    {
        var recent = new RecentChanges(0);
        Assert.All(Changes(RecentChanges.MaxChanges + 10), change => Assert.True(recent.Add(change)));

        Assert.Equal((11, RecentChanges.MaxChanges + 10), (recent.First, recent.Last));
        Assert.Equal(11, recent[11].Change.Revision);
    }

    [Fact]
    public void TheOldestGoesFirstWhenTheyAreTooLarge()
    {
        var notes = new string('n', 15_000);
        var recent = new RecentChanges(0);
        var one = 0;
        foreach (var change in Changes(200))
        {
            recent.Add(change with { Order = change.Order with { Notes = notes } });
            one = recent[change.Revision].Bytes;
        }

        Assert.Equal(RecentChanges.MaxBytes / one, recent.Last - recent.First + 1);
    }

    private OrderChange[] Changes(int count) =>
        [.. Enumerable.Range(0, count).Select(number => _feed.CommitInSilence(ChangesInMemory.Id(0, number)))];
}
