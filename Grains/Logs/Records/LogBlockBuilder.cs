using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Records;

/// <summary>
/// Gathers records into a <see cref="LogBlock"/>. A record is begun, its six texts are written to <see cref="Text"/> in the order of
/// <see cref="LogBlock"/>, each closed by <see cref="EndText"/>, and then it is ended; or it is dropped, and nothing of it is left.
/// </summary>
public sealed class LogBlockBuilder : IDisposable
{
    private const int FirstRecords = 512;

    // The columns, in rented memory, all with room for as many records.
    private ulong[] _times = ArrayPool<ulong>.Shared.Rent(FirstRecords);
    private ulong[] _observed = ArrayPool<ulong>.Shared.Rent(FirstRecords);
    private byte[] _traceIds = ArrayPool<byte>.Shared.Rent(16 * FirstRecords);
    private byte[] _spanIds = ArrayPool<byte>.Shared.Rent(8 * FirstRecords);
    private byte[] _severities = ArrayPool<byte>.Shared.Rent(FirstRecords);
    private int[] _textEnds = ArrayPool<int>.Shared.Rent(LogBlock.Texts * FirstRecords);
    private int _room = FirstRecords;
    private int _ends;

    /// <summary>Where texts are written.</summary>
    public ByteHeap Text { get; } = new(16 * 1024);

    public int Count { get; private set; }

    /// <summary>Of the block as it would be built now.</summary>
    public int Bytes => LogBlock.Size(Count, Text.Length);

    /// <param name="time">Nanoseconds since 1970; 0 when unknown: then <paramref name="observed"/> is taken.</param>
    /// <param name="observed">Nanoseconds since 1970; never 0: whoever decodes knows at least when it came in.</param>
    /// <param name="severity">0 to 24; what is above is taken as 0.</param>
    /// <param name="traceId">16 bytes; of any other length it is none (OTLP: an invalid id is treated as missing).</param>
    /// <param name="spanId">8 bytes, the same.</param>
    public void Begin(ulong time, ulong observed, int severity, ReadOnlySpan<byte> traceId, ReadOnlySpan<byte> spanId)
    {
        if (Count == _room)
        {
            Widen();
        }

        var record = Count++;
        _times[record] = time == 0 ? observed : time;
        _observed[record] = observed;
        _severities[record] = severity is >= 0 and <= 24 ? (byte)severity : (byte)0;
        SetId(_traceIds.AsSpan(16 * record, 16), traceId);
        SetId(_spanIds.AsSpan(8 * record, 8), spanId);
    }

    /// <summary>The text that was being written is whole.</summary>
    /// <exception cref="InvalidOperationException">The record has all its texts already.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void EndText()
    {
        if (_ends == Count * LogBlock.Texts)
        {
            TextTooMany();
        }

        _textEnds[_ends++] = Text.Length;
    }

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
        if (_ends != Count * LogBlock.Texts)
        {
            throw new InvalidOperationException($"A record has {LogBlock.Texts} texts; {_ends} are written for {Count} records.");
        }
    }

    /// <summary>The record that was begun last did not happen.</summary>
    public void Drop()
    {
        Count--;
        _ends = Count * LogBlock.Texts;
        Text.Cut(_ends == 0 ? 0 : _textEnds[_ends - 1]);
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
    /// The block of all records. Its memory is rented from <see cref="ArrayPool{T}.Shared"/>: who knows that nobody reads it any more may
    /// give it back
    /// (<see cref="Return"/>); else the garbage collector takes it.
    /// </summary>
    public LogBlock Build()
    {
        var size = Bytes;
        var bytes = ArrayPool<byte>.Shared.Rent(size);
        var parts = LogBlock.Lay(bytes.AsSpan(0, size), Count);
        _times.AsSpan(0, Count).CopyTo(parts.Times);
        _observed.AsSpan(0, Count).CopyTo(parts.Observed);
        _traceIds.AsSpan(0, 16 * Count).CopyTo(parts.TraceIds);
        _spanIds.AsSpan(0, 8 * Count).CopyTo(parts.SpanIds);
        _severities.AsSpan(0, Count).CopyTo(parts.Severities);
        _textEnds.AsSpan(0, _ends).CopyTo(parts.TextEnds);
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
        Count = 0;
        _ends = 0;
        Text.Cut(0);
    }

    public void Dispose()
    {
        if (_room == 0)
        {
            return;
        }

        Text.Dispose();
        GiveBack(_times, _observed, _traceIds, _spanIds, _severities, _textEnds);
        _times = _observed = [];
        _traceIds = _spanIds = _severities = [];
        _textEnds = [];
        _room = Count = _ends = 0;
    }

    private static void SetId(Span<byte> place, ReadOnlySpan<byte> id)
    {
        if (id.Length == place.Length)
        {
            id.CopyTo(place);
        }
        else
        {
            place.Clear();
        }
    }

    private void Widen()
    {
        ObjectDisposedException.ThrowIf(_room == 0, this);
        var (times, observed, traceIds, spanIds, severities, textEnds) = (_times, _observed, _traceIds, _spanIds, _severities, _textEnds);
        _room = checked(_room * 2);
        (_times, _observed, _severities) = (Wider(times, 1), Wider(observed, 1), Wider(severities, 1));
        (_traceIds, _spanIds, _textEnds) = (Wider(traceIds, 16), Wider(spanIds, 8), Wider(textEnds, LogBlock.Texts));
        GiveBack(times, observed, traceIds, spanIds, severities, textEnds);
    }

    private T[] Wider<T>(T[] column, int perRecord)
    {
        var wider = ArrayPool<T>.Shared.Rent(checked(perRecord * _room));
        column.AsSpan(0, perRecord * Count).CopyTo(wider);
        return wider;
    }

    private static void GiveBack(ulong[] times, ulong[] observed, byte[] traceIds, byte[] spanIds, byte[] severities, int[] textEnds)
    {
        ArrayPool<ulong>.Shared.Return(times);
        ArrayPool<ulong>.Shared.Return(observed);
        ArrayPool<byte>.Shared.Return(traceIds);
        ArrayPool<byte>.Shared.Return(spanIds);
        ArrayPool<byte>.Shared.Return(severities);
        ArrayPool<int>.Shared.Return(textEnds);
    }

    private static void TextTooMany() =>
        throw new InvalidOperationException($"A record has {LogBlock.Texts} texts, and this would be one more.");
}
