using CsCheck;
using Grains.Interfaces.Logs;
using Grains.Logs.Segments;
using Xunit;

namespace Unit.Logs;

public sealed class SegmentTests
{
    [Fact]
    public void WhatWasWrittenIsReadBackFieldByFieldInTheOrderOfASegment() =>
        LogGen
            .Value.Array[0, 40]
            .Array[1, 4]
            .Sample(
                batches =>
                {
                    LogBlock[] blocks = [.. batches.Select(LogValue.Block)];
                    var written = SegmentWriter.Write(blocks, level: 1);
                    var expected = RecordOrder.Of(blocks).Select(place => LogValue.Of(blocks[place.Block][place.Record]));
                    Assert.Equal(expected, SegmentReader.Read(written.Content).SelectMany(LogValue.Of));
                },
                iter: 300
            );

    [Fact]
    public void AMergeHoldsTheRecordsOfAllAndIsSortedAsIfTheyHadBeenWrittenTogether() =>
        LogGen
            .Value.Array[1, 30]
            .Array[1, 5]
            .Sample(
                batches =>
                {
                    LogBlock[] blocks = [.. batches.Select(LogValue.Block)];
                    var merged = SegmentMerge.Merge([.. blocks.Select(block => SegmentWriter.Write([block], level: 1).Content)], level: 3);
                    var records = SegmentReader.Read(merged.Content).SelectMany(LogValue.Of).ToArray();
                    Assert.Equal(
                        blocks.SelectMany(LogValue.Of).OrderBy(value => value.ToString(), StringComparer.Ordinal),
                        records.OrderBy(value => value.ToString(), StringComparer.Ordinal)
                    );
                    Assert.Equal(
                        records.Select(value => (value.Service, value.Time)),
                        records
                            .Select(value => (value.Service, value.Time))
                            .OrderBy(key => key.Service, Comparer<string>.Create(ByBytes))
                            .ThenBy(key => key.Time)
                    );
                    Assert.Equal(records.Length, merged.Facts.Records);
                    Assert.Equal(records.Min(value => value.Time), merged.Facts.MinTime);
                },
                iter: 100
            );

    [Fact]
    public void MoreRecordsThanARowGroupHoldsAreReadBackInSeveralBlocks()
    {
        var written = SegmentWriter.Write(
            [LogValue.Block(Enumerable.Range(1, SegmentWriter.RowGroupRecords + 10).Select(n => Plain((ulong)n)))],
            level: 1
        );

        var blocks = SegmentReader.Read(written.Content).ToArray();

        Assert.Equal([SegmentWriter.RowGroupRecords, 10], blocks.Select(block => block.Count));
        Assert.Equal(Plain(SegmentWriter.RowGroupRecords + 10), LogValue.Of(blocks[1][9]));
    }

    [Fact]
    public void WhatIsNoSegmentIsRefusedWithASentence()
    {
        var none = Assert.Throws<InvalidDataException>(() => SegmentReader.Read(new byte[100]).ToArray());
        Assert.StartsWith("This is no segment", none.Message, StringComparison.Ordinal);

        var broken = SegmentWriter.Write([LogValue.Block([Plain(1)])], level: 1).Content.ToArray();
        Assert.Throws<InvalidDataException>(() => SegmentReader.Read(broken.AsMemory(0, broken.Length - 9)).ToArray());
    }

    private static LogValue Plain(ulong time) => new(time, time, 9, "INFO", "shop", "", "", $"record {time}", "", "", "");

    private static int ByBytes(string? left, string? right) =>
        System.Text.Encoding.UTF8.GetBytes(left!).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(right!));
}
