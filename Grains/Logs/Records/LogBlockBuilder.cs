using System.Buffers;
using System.Runtime.InteropServices;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Records;

/// <summary>
/// Gathers records into a <see cref="LogBlock"/>. A record is begun, its six texts are written to <see cref="Text"/> in the order of
/// <see cref="LogBlock"/>, each closed by <see cref="EndText"/>, and then it is ended; or it is dropped, and nothing of it is left.
/// </summary>
public sealed class LogBlockBuilder : IDisposable
{
    private static readonly byte[] NoId = new byte[16];

    private readonly List<ulong> _times = [];
    private readonly List<ulong> _observed = [];
    private readonly List<byte> _severities = [];
    private readonly List<int> _textEnds = [];
    private readonly ByteHeap _ids = new(24 * 64);

    /// <summary>Where texts are written.</summary>
    public ByteHeap Text { get; } = new(16 * 1024);

    public int Count => _times.Count;

    /// <summary>Of the block as it would be built now.</summary>
    public int Bytes => LogBlock.Size(Count, Text.Length);

    /// <param name="time">Nanoseconds since 1970; 0 when unknown: then <paramref name="observed"/> is taken.</param>
    /// <param name="observed">Nanoseconds since 1970; never 0: whoever decodes knows at least when it came in.</param>
    /// <param name="severity">0 to 24; what is above is taken as 0.</param>
    /// <param name="traceId">16 bytes; of any other length it is none (OTLP: an invalid id is treated as missing).</param>
    /// <param name="spanId">8 bytes, the same.</param>
    public void Begin(ulong time, ulong observed, int severity, ReadOnlySpan<byte> traceId, ReadOnlySpan<byte> spanId)
    {
        _times.Add(time == 0 ? observed : time);
        _observed.Add(observed);
        _severities.Add(severity is >= 0 and <= 24 ? (byte)severity : (byte)0);
        _ids.Append(traceId.Length == 16 ? traceId : NoId);
        _ids.Append(spanId.Length == 8 ? spanId : NoId.AsSpan(0, 8));
    }

    /// <summary>The text that was being written is whole.</summary>
    public void EndText() => _textEnds.Add(Text.Length);

    /// <summary>A whole text, which may be invalid UTF-8 (<see cref="ByteHeap.AppendText"/>).</summary>
    public void AddText(ReadOnlySpan<byte> utf8)
    {
        Text.AppendText(utf8);
        EndText();
    }

    public void AddText(ReadOnlySpan<char> text)
    {
        Text.Append(text);
        EndText();
    }

    /// <summary>All six texts are there.</summary>
    /// <exception cref="InvalidOperationException">They are not.</exception>
    public void End()
    {
        if (_textEnds.Count != Count * LogBlock.Texts)
        {
            throw new InvalidOperationException($"A record has {LogBlock.Texts} texts; {_textEnds.Count} are written for {Count} records.");
        }
    }

    /// <summary>The record that was begun last did not happen.</summary>
    public void Drop()
    {
        var last = Count - 1;
        CollectionsMarshal.SetCount(_textEnds, last * LogBlock.Texts);
        Text.Cut(last == 0 ? 0 : _textEnds[^1]);
        _ids.Cut(24 * last);
        _times.RemoveAt(last);
        _observed.RemoveAt(last);
        _severities.RemoveAt(last);
    }

    /// <summary>A record of another block, as it is.</summary>
    public void Add(LogRecord record)
    {
        Begin(record.Time, record.ObservedTime, record.Severity, record.TraceId, record.SpanId);
        Text.Append(record.SeverityText);
        EndText();
        Text.Append(record.Service);
        EndText();
        Text.Append(record.Host);
        EndText();
        Text.Append(record.EventName);
        EndText();
        Text.Append(record.Body);
        EndText();
        Text.Append(record.Attributes);
        EndText();
    }

    /// <summary>
    /// The block of all records. Its memory is rented from <see cref="ArrayPool{T}.Shared"/>: who knows that nobody reads it any more may give it back
    /// (<see cref="Return"/>); else the garbage collector takes it.
    /// </summary>
    public LogBlock Build()
    {
        var size = Bytes;
        var bytes = ArrayPool<byte>.Shared.Rent(size);
        var parts = LogBlock.Lay(bytes.AsSpan(0, size), Count);
        CollectionsMarshal.AsSpan(_times).CopyTo(parts.Times);
        CollectionsMarshal.AsSpan(_observed).CopyTo(parts.Observed);
        CollectionsMarshal.AsSpan(_severities).CopyTo(parts.Severities);
        CollectionsMarshal.AsSpan(_textEnds).CopyTo(parts.TextEnds);
        var ids = _ids.Written;
        for (var record = 0; record < Count; record++)
        {
            ids.Slice(24 * record, 16).CopyTo(parts.TraceIds[(16 * record)..]);
            ids.Slice((24 * record) + 16, 8).CopyTo(parts.SpanIds[(8 * record)..]);
        }

        Text.Written.CopyTo(parts.Heap);
        return new(bytes.AsMemory(0, size));
    }

    /// <summary>Gives a block's memory back. Nobody may read it afterwards.</summary>
    public static void Return(LogBlock block)
    {
        if (MemoryMarshal.TryGetArray(block.Bytes, out var array) && array.Array is { Length: > 0 } rented)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Empty, for the next block.</summary>
    public void Clear()
    {
        _times.Clear();
        _observed.Clear();
        _severities.Clear();
        _textEnds.Clear();
        _ids.Cut(0);
        Text.Cut(0);
    }

    public void Dispose()
    {
        Text.Dispose();
        _ids.Dispose();
    }
}
