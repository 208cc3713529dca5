using System.Text;
using System.Text.Json;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Silo.Orders;
using Xunit;

namespace Unit.Orders.Watch;

public sealed class OrderWatchEventsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatIsWrittenOnceForAllIsWhatEachChangeIsByItself(bool previous)
    {
        var feed = new ChangesInMemory(2);
        WatchItem[] items =
        [
            new("w1AgABAQ", new(feed.Commit(ChangesInMemory.Id(0, 1)))),
            new("w1AgABAg", new(feed.Commit(ChangesInMemory.Id(1, 1)))),
            new("w1AgABAw", new(feed.Commit(ChangesInMemory.Id(0, 1)))),
        ];

        var whole = OrderWatchEvents.Whole(new([.. items], items[^1].Cursor), previous);

        Assert.Equal(string.Concat(items.Select(item => Event(item, previous))), Encoding.UTF8.GetString(whole));
    }

    private static string Event(WatchItem item, bool previous)
    {
        var form = WatchForm.Of(item.Cursor, item.Change.Change, previous);
        return $"id: {item.Cursor}\nevent: change\ndata: {JsonSerializer.Serialize(form, OrdersJson.AsItIs.WatchForm)}\n\n";
    }
}
