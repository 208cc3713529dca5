using System.Runtime.InteropServices;
using Grains.Interfaces.Logs;
using ParquetSharp;

namespace Grains.Logs.Segments;

/// <summary>The columns of one segment, written row group by row group in the order of <see cref="SegmentSchema"/>.</summary>
internal sealed class SegmentColumns(IReadOnlyList<LogBlock> blocks, PinnedBlocks pinned)
{
    private static readonly byte[] HexDigits = "0123456789abcdef"u8.ToArray();

    private long[] _times = [];
    private int[] _numbers = [];
    private short[] _levels = [];
    private ByteArray[] _texts = [];
    private byte[] _hex = [];

    public void Write(RowGroupWriter group, ReadOnlySpan<RecordPlace> rows)
    {
        if (_times.Length < rows.Length)
        {
            (_times, _numbers, _levels, _texts, _hex) = (
                new long[rows.Length],
                new int[rows.Length],
                new short[rows.Length],
                new ByteArray[rows.Length],
                new byte[rows.Length * 32]
            );
        }

        Time(group, rows, static block => block.Times);
        Time(group, rows, static block => block.ObservedTimes);
        for (var row = 0; row < rows.Length; row++)
        {
            _numbers[row] = blocks[rows[row].Block].Severities[rows[row].Record];
        }

        Numbers(group, rows.Length);
        Text(group, rows, 0, optional: true);
        Text(group, rows, 1, optional: false);
        Text(group, rows, 2, optional: true);
        Ids(group, rows, 16, static block => block.TraceIds);
        Ids(group, rows, 8, static block => block.SpanIds);
        Text(group, rows, 3, optional: true);
        Text(group, rows, 4, optional: false);
        Text(group, rows, 5, optional: true);
    }

    /// <summary>Two columns: the microseconds, and what is below.</summary>
    private void Time(RowGroupWriter group, ReadOnlySpan<RecordPlace> rows, TimesOf timesOf)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            var (micros, nanos) = Math.DivRem(timesOf(blocks[rows[row].Block])[rows[row].Record], 1000);
            _times[row] = (long)micros;
            _numbers[row] = (int)nanos;
        }

        using (var column = (ColumnWriter<long>)group.NextColumn())
        {
            column.WriteBatch(_times.AsSpan(0, rows.Length));
        }

        Numbers(group, rows.Length);
    }

    private void Numbers(RowGroupWriter group, int count)
    {
        using var column = (ColumnWriter<int>)group.NextColumn();
        column.WriteBatch(_numbers.AsSpan(0, count));
    }

    private void Text(RowGroupWriter group, ReadOnlySpan<RecordPlace> rows, int field, bool optional)
    {
        var present = 0;
        for (var row = 0; row < rows.Length; row++)
        {
            var (block, record) = rows[row];
            var ends = blocks[block].TextEnds;
            var index = (record * LogBlock.Texts) + field;
            var start = index == 0 ? 0 : ends[index - 1];
            var length = ends[index] - start;
            _levels[row] = length == 0 ? (short)0 : (short)1;
            if (length > 0 || !optional)
            {
                _texts[present++] = new(pinned.Heaps[block] + start, length);
            }
        }

        Texts(group, rows.Length, present, optional);
    }

    private void Ids(RowGroupWriter group, ReadOnlySpan<RecordPlace> rows, int width, IdsOf idsOf)
    {
        var handle = GCHandle.Alloc(_hex, GCHandleType.Pinned);
        try
        {
            var present = 0;
            for (var row = 0; row < rows.Length; row++)
            {
                var id = idsOf(blocks[rows[row].Block]).Slice(rows[row].Record * width, width);
                var none = !id.ContainsAnyExcept((byte)0);
                _levels[row] = none ? (short)0 : (short)1;
                if (!none)
                {
                    var at = present * width * 2;
                    Hex(id, _hex.AsSpan(at, width * 2));
                    _texts[present++] = new(handle.AddrOfPinnedObject() + at, width * 2);
                }
            }

            Texts(group, rows.Length, present, optional: true);
        }
        finally
        {
            handle.Free();
        }
    }

    private void Texts(RowGroupWriter group, int count, int present, bool optional)
    {
        using var column = (ColumnWriter<ByteArray>)group.NextColumn();
        if (optional)
        {
            column.WriteBatch(count, _levels.AsSpan(0, count), [], _texts.AsSpan(0, present));
        }
        else
        {
            column.WriteBatch(_texts.AsSpan(0, present));
        }
    }

    private static void Hex(ReadOnlySpan<byte> id, Span<byte> digits)
    {
        for (var index = 0; index < id.Length; index++)
        {
            digits[2 * index] = HexDigits[id[index] >> 4];
            digits[(2 * index) + 1] = HexDigits[id[index] & 15];
        }
    }

    private delegate ReadOnlySpan<ulong> TimesOf(LogBlock block);

    private delegate ReadOnlySpan<byte> IdsOf(LogBlock block);
}
