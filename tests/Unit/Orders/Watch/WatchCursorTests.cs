using CsCheck;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;
using Xunit;

namespace Unit.Orders.Watch;

public sealed class WatchCursorTests
{
    [Fact]
    public void ACursorIsReadBackAsItWasWritten() =>
        Gen.Select(Gen.Long[0, long.MaxValue / 2].Array[1, OrderId.MaxPartitions], Gen.Bool)
            .Sample(
                (next, isOfOne) =>
                {
                    int? only = isOfOne ? next.Length - 1 : null;
                    var written = isOfOne ? next[..1] : next;
                    var text = WatchCursor.Write(next.Length, only, written);

                    Assert.True(WatchCursor.TryRead(text, next.Length, out var cursor, out var error), error);
                    Assert.Equal(only, cursor.Only);
                    Assert.Equal(written, cursor.Next);
                    Assert.True(text.Length <= WatchCursor.MaxLength, text);
                    Assert.Matches("^[0-9A-Za-z._~-]+$", text);
                }
            );

    [Fact]
    public void EightPartitionsOfAHundredThousandTakeFewCharacters() =>
        Assert.Equal(42, WatchCursor.Write(8, null, [.. Enumerable.Repeat(100_000L, 8)]).Length);

    [Fact]
    public void ACursorWithAnyLetterChangedIsRefused()
    {
        var text = WatchCursor.Write(3, null, [1, 500, 70_000]);
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text[..i] + (text[i] == 'B' ? 'C' : 'B') + text[(i + 1)..];
            Assert.False(WatchCursor.TryRead(changed, 3, out _, out var error), changed);
            Assert.EndsWith(".", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ACursorThatWasCutIsBroken()
    {
        var text = WatchCursor.Write(3, null, [1, 500, 70_000]);
        Assert.False(WatchCursor.TryRead(text[..^1], 3, out _, out var error));
        Assert.Equal($"The cursor \"{text[..^1]}\" is broken: it was cut or changed on its way.", error);
    }

    [Theory]
    [InlineData("", "A cursor is what a watch gave, \"w1\" and letters, or \"start\" for the oldest change that is kept; this is \"\".")]
    [InlineData(
        "42",
        "A cursor is what a watch gave, \"w1\" and letters, or \"start\" for the oldest change that is kept; this " + "is \"42\"."
    )]
    [InlineData("w1", "The cursor \"w1\" is broken: it was cut or changed on its way.")]
    [InlineData("w1äöü", "The cursor \"w1äöü\" is broken: it was cut or changed on its way.")]
    [InlineData("w2abc", "The cursor \"w2abc\" has a form that this version does not know; it knows \"w1\".")]
    public void WhatIsNoCursorIsRefusedWithASentence(string text, string sentence)
    {
        Assert.False(WatchCursor.TryRead(text, 3, out _, out var error));
        Assert.Equal(sentence, error);
    }

    [Fact]
    public void ACursorOfAnotherNumberOfPartitionsIsOfAnotherCluster()
    {
        Assert.False(WatchCursor.TryRead(WatchCursor.Write(2, null, [1, 1]), 3, out _, out var error));
        Assert.Equal("The cursor is of another cluster: it has 2 partitions, and here are 3.", error);
    }
}
