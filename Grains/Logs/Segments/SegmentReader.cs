using System.Buffers;
using Grains.Interfaces.Logs;
using Grains.Logs.Records;
using ParquetSharp;
using ParquetSharp.IO;
using Buffer = ParquetSharp.IO.Buffer;

namespace Grains.Logs.Segments;

/// <summary>
/// Reads a segment back into records, in the order in which they lie there: every field as it was written. One row group is unpacked at a
/// time, and nothing is made per record.
/// </summary>
public static class SegmentReader
{
    /// <param name="content">A whole segment as <see cref="SegmentWriter"/> makes them.</param>
    /// <returns>
    /// A block per row group (<see cref="SegmentWriter.RowGroupRecords"/> at most), read when it is asked for. Its memory is rented, as
    /// <c>LogBlockBuilder.Build</c> says.
    /// </returns>
    /// <exception cref="InvalidDataException">It is no segment: other columns, or broken.</exception>
    public static IEnumerable<LogBlock> Read(ReadOnlyMemory<byte> content)
    {
        using var pinned = content.Pin();
        using var buffer = new Buffer(Address(pinned), content.Length);
        using var input = new BufferReader(buffer);
        using var file = Open(input);
        using var columns = new SegmentColumnsRead();
        for (var group = 0; group < file.FileMetaData.NumRowGroups; group++)
        {
            yield return Unpacked(columns, file, group);
        }

        file.Close();
    }

    /// <summary>All of it, or nothing: what was read before it breaks is given back.</summary>
    /// <exception cref="InvalidDataException">It is no segment: other columns, or broken.</exception>
    public static List<LogBlock> ReadAll(ReadOnlyMemory<byte> content)
    {
        var blocks = new List<LogBlock>();
        try
        {
            blocks.AddRange(Read(content));
            return blocks;
        }
        catch
        {
            blocks.ForEach(LogBlockBuilder.Return);
            throw;
        }
    }

    private static unsafe nint Address(MemoryHandle pinned) => (nint)pinned.Pointer;

    private static ParquetFileReader Open(BufferReader input)
    {
        try
        {
            var file = new ParquetFileReader(input);
            var schema = file.FileMetaData.Schema;
            var same =
                schema.NumColumns == SegmentSchema.Names.Length
                && Enumerable.Range(0, schema.NumColumns).All(column => schema.Column(column).Name == SegmentSchema.Names[column]);
            if (!same)
            {
                file.Dispose();
                throw new InvalidDataException(
                    $"A segment has the columns {string.Join(", ", SegmentSchema.Names)}; this file has others."
                );
            }

            return file;
        }
        catch (ParquetException broken)
        {
            throw new InvalidDataException($"This is no segment: {broken.Message}", broken);
        }
    }

    private static LogBlock Unpacked(SegmentColumnsRead columns, ParquetFileReader file, int group)
    {
        try
        {
            using var rows = file.RowGroup(group);
            return columns.Read(rows);
        }
        catch (Exception broken) when (broken is ParquetException or InvalidCastException or OverflowException or ArgumentException)
        {
            throw new InvalidDataException($"A segment cannot be read: {broken.Message}", broken);
        }
    }
}

/// <summary>The columns of one segment as they are read, row group by row group in the order of <see cref="SegmentSchema"/>.</summary>
internal sealed class SegmentColumnsRead : IDisposable
{
    /// <summary>Values that are asked of the decoder at once; it gives no more than it has unpacked.</summary>
    private const int Batch = 8 * 1024;

    /// <summary>The six texts of a record in the order of <see cref="LogBlock"/>, by column of the file.</summary>
    private static readonly int[] TextColumns = [5, 6, 7, 10, 11, 12];

    private const int TraceColumn = 8;
    private const int SpanColumn = 9;

    private readonly short[] _levels = new short[Batch];
    private readonly ByteArray[] _values = new ByteArray[Batch];
    private readonly TextColumn[] _texts = [.. TextColumns.Select(_ => new TextColumn())];
    private long[] _longs = [];
    private int[] _ints = [];

    public LogBlock Read(RowGroupReader group)
    {
        var count = checked((int)group.MetaData.NumRows);
        if (count > LogBlock.MaxRecords)
        {
            throw new InvalidDataException($"A row group has {LogBlock.MaxRecords} records at most; this one has {count}.");
        }

        if (_longs.Length < count)
        {
            (_longs, _ints) = (new long[count], new int[count]);
        }

        var heap = 0L;
        for (var field = 0; field < _texts.Length; field++)
        {
            ReadText(group, TextColumns[field], count, _texts[field]);
            heap += _texts[field].Length;
        }

        var size = LogBlock.Size(count, checked((int)heap));
        var bytes = ArrayPool<byte>.Shared.Rent(size);
        var parts = LogBlock.Lay(bytes.AsSpan(0, size), count);
        ReadTimes(group, 0, parts.Times);
        ReadTimes(group, 2, parts.Observed);
        ReadNumbers(group, 4, _ints.AsSpan(0, count));
        for (var record = 0; record < count; record++)
        {
            parts.Severities[record] = (byte)_ints[record];
        }

        ReadIds(group, TraceColumn, parts.TraceIds, 16);
        ReadIds(group, SpanColumn, parts.SpanIds, 8);
        Weave(parts, count);
        return new(bytes.AsMemory(0, size));
    }

    public void Dispose()
    {
        foreach (var text in _texts)
        {
            text.Dispose();
        }
    }

    /// <summary>From six columns to six texts a record, one after the other.</summary>
    private void Weave(LogBlock.Parts parts, int count)
    {
        var ends = parts.TextEnds;
        var heap = parts.Heap;
        var at = 0;
        for (var record = 0; record < count; record++)
        {
            for (var field = 0; field < LogBlock.Texts; field++)
            {
                var text = _texts[field].Of(record);
                text.CopyTo(heap[at..]);
                at += text.Length;
                ends[(record * LogBlock.Texts) + field] = at;
            }
        }
    }

    private void ReadTimes(RowGroupReader group, int column, Span<ulong> times)
    {
        var longs = _longs.AsSpan(0, times.Length);
        using (var reader = (ColumnReader<long>)group.Column(column))
        {
            for (var read = 0; read < longs.Length; )
            {
                read += More(reader.ReadBatch(longs.Length - read, longs[read..], out _), column);
            }
        }

        var nanos = _ints.AsSpan(0, times.Length);
        ReadNumbers(group, column + 1, nanos);
        for (var record = 0; record < times.Length; record++)
        {
            times[record] = ((ulong)longs[record] * 1000) + (ulong)nanos[record];
        }
    }

    private static void ReadNumbers(RowGroupReader group, int column, Span<int> numbers)
    {
        using var reader = (ColumnReader<int>)group.Column(column);
        for (var read = 0; read < numbers.Length; )
        {
            read += More(reader.ReadBatch(numbers.Length - read, numbers[read..], out _), column);
        }
    }

    private void ReadText(RowGroupReader group, int column, int count, TextColumn text)
    {
        using var reader = (ColumnReader<ByteArray>)group.Column(column);
        var optional = reader.ColumnDescriptor.MaxDefinitionLevel > 0;
        text.Clear(count);
        for (var read = 0; read < count; )
        {
            var some = ReadBatch(reader, optional, column, Math.Min(Batch, count - read));
            for (int row = 0, value = 0; row < some; row++)
            {
                text.Add(!optional || _levels[row] > 0 ? Bytes(_values[value++]) : default);
            }

            read += some;
        }
    }

    private void ReadIds(RowGroupReader group, int column, Span<byte> ids, int width)
    {
        using var reader = (ColumnReader<ByteArray>)group.Column(column);
        ids.Clear();
        for (var read = 0; read * width < ids.Length; )
        {
            var some = ReadBatch(reader, optional: true, column, Math.Min(Batch, (ids.Length / width) - read));
            for (int row = 0, value = 0; row < some; row++)
            {
                if (
                    _levels[row] > 0
                    && Convert.FromHexString(Bytes(_values[value++]), ids.Slice((read + row) * width, width), out _, out var written)
                        is var status
                    && (status != OperationStatus.Done || written != width)
                )
                {
                    throw new InvalidDataException($"\"{SegmentSchema.Names[column]}\" is {2 * width} hex digits or null.");
                }
            }

            read += some;
        }
    }

    private int ReadBatch(ColumnReader<ByteArray> reader, bool optional, int column, int want) =>
        More(optional ? reader.ReadBatch(want, _levels, [], _values, out _) : reader.ReadBatch(want, _values, out _), column);

    private static int More(long read, int column) =>
        read > 0 ? (int)read : throw new InvalidDataException($"The column \"{SegmentSchema.Names[column]}\" ends too early.");

    /// <summary>Where they lie in the decoder's memory: until the next batch is read.</summary>
    private static unsafe ReadOnlySpan<byte> Bytes(ByteArray value) => new((void*)value.Pointer, value.Length);

    /// <summary>One text a record, one after the other.</summary>
    private sealed class TextColumn : IDisposable
    {
        private readonly Records.ByteHeap _heap = new(64 * 1024);
        private int[] _ends = [];
        private int _count;

        public int Length => _heap.Length;

        public void Clear(int records)
        {
            _heap.Cut(0);
            _count = 0;
            if (_ends.Length < records)
            {
                _ends = new int[records];
            }
        }

        public void Add(ReadOnlySpan<byte> text)
        {
            _heap.Append(text);
            _ends[_count++] = _heap.Length;
        }

        public ReadOnlySpan<byte> Of(int record) => _heap.Written[(record == 0 ? 0 : _ends[record - 1]).._ends[record]];

        public void Dispose() => _heap.Dispose();
    }
}
