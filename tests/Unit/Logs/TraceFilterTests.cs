using Grains.Interfaces.Logs;
using Grains.Logs.Segments;
using Xunit;

namespace Unit.Logs;

public sealed class TraceFilterTests
{
    [Theory]
    [InlineData(100, 40)]
    [InlineData(26_000, 40)]
    [InlineData(52_000, 400)]
    [InlineData(130_000, 1_700)]
    public void ItIsNeverWrongAboutAnIdThatIsThereAndSeldomAboutOneThatIsNot(int ids, int wrongOf4000)
    {
        var filter = TraceFilter.Of([Block(0, ids)]).Span;

        Assert.InRange(filter.Length, 2, TraceFilter.MaxBytes);
        for (var id = 0; id < ids; id++)
        {
            Assert.True(TraceFilter.MayHold(filter, Id(id)));
        }

        var wrong = 0;
        for (var id = ids; id < ids + 4000; id++)
        {
            wrong += TraceFilter.MayHold(filter, Id(id)) ? 1 : 0;
        }

        Assert.InRange(wrong, 0, wrongOf4000);
    }

    [Fact]
    public void OfSoManyThatItWouldSayLittleThereIsNoneAndAnyIdMayBeThere()
    {
        var filter = TraceFilter.Of([Block(0, 140_000)]);

        Assert.True(filter.IsEmpty);
        Assert.True(TraceFilter.MayHold(filter.Span, Id(1)));
    }

    [Fact]
    public void WhereNoRecordHasAnIdNoneIsThere() =>
        Assert.False(TraceFilter.MayHold(TraceFilter.Of([TestRecord.Block(new TestRecord())]).Span, Id(1)));

    private static LogBlock Block(int from, int count) =>
        TestRecord.Block(Enumerable.Range(from, count).Select(id => new TestRecord(Trace: Convert.ToHexStringLower(Id(id)))));

    private static byte[] Id(int number)
    {
        var id = new byte[16];
        new Random(number + 1).NextBytes(id);
        return id;
    }
}
