using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Grains.Interfaces.Logs;

/// <summary>
/// Log records in columns, in one piece of memory: how records travel from where they are decoded to the segment that they are stored in.
/// Nobody changes a block after it was built.
/// </summary>
/// <remarks>
/// <code>
/// int    records (n), format (1)
/// ulong  n × time, nanoseconds since 1970
/// ulong  n × observed time, the same
/// byte   n × 16 trace id, n × 8 span id; all zero: none
/// int    n × 6 end of a text in the heap: severity text, service, host, event name, body, attributes;
///        each starts where the one before ends
/// byte   n × severity, 0 to 24 (OpenTelemetry's severity number; 0: not said)
/// byte   the heap: valid UTF-8
/// </code>
/// Little-endian, which is every machine that .NET 10 runs on. Attributes are one JSON object, or empty when there are none.
/// A body that was not a string is its JSON text.
/// </remarks>
[GenerateSerializer, Immutable, Alias("logs.LogBlock")]
public sealed class LogBlock
{
    /// <summary>Texts of a record.</summary>
    public const int Texts = 6;

    /// <summary>Records in one block at most.</summary>
    public const int MaxRecords = 1 << 20;

    private const int Header = 8;
    private const int Format = 1;
    private const int PerRecord = 8 + 8 + 16 + 8 + (4 * Texts) + 1;

    /// <param name="bytes">As in the remarks; not copied.</param>
    public LogBlock(ReadOnlyMemory<byte> bytes)
    {
        Bytes = bytes;
    }

    [Id(0)]
    public ReadOnlyMemory<byte> Bytes { get; }

    public int Count => Bytes.Length < Header ? 0 : MemoryMarshal.Read<int>(Bytes.Span);

    public LogRecord this[int record] => new(this, record);

    public ReadOnlySpan<ulong> Times => MemoryMarshal.Cast<byte, ulong>(Column(0, 8));

    public ReadOnlySpan<ulong> ObservedTimes => MemoryMarshal.Cast<byte, ulong>(Column(8, 8));

    /// <summary>16 bytes a record.</summary>
    public ReadOnlySpan<byte> TraceIds => Column(16, 16);

    /// <summary>8 bytes a record.</summary>
    public ReadOnlySpan<byte> SpanIds => Column(32, 8);

    /// <summary><see cref="Texts"/> a record.</summary>
    public ReadOnlySpan<int> TextEnds => MemoryMarshal.Cast<byte, int>(Column(40, 4 * Texts));

    public ReadOnlySpan<byte> Severities => Column(40 + (4 * Texts), 1);

    public ReadOnlySpan<byte> Heap => Bytes.Span[(Header + (PerRecord * Count))..];

    /// <summary>Bytes that a block of so many records and so much text takes.</summary>
    public static int Size(int records, int heapBytes) => checked(Header + (PerRecord * records) + heapBytes);

    /// <summary>
    /// Lays out an empty block of <paramref name="records"/> in <paramref name="bytes"/> (of <see cref="Size"/>) and gives its parts to
    /// fill.
    /// </summary>
    public static Parts Lay(Span<byte> bytes, int records)
    {
        BinaryPrimitives.WriteInt32LittleEndian(bytes, records);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], Format);
        return new()
        {
            Times = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(Header, 8 * records)),
            Observed = MemoryMarshal.Cast<byte, ulong>(bytes.Slice(Header + (8 * records), 8 * records)),
            TraceIds = bytes.Slice(Header + (16 * records), 16 * records),
            SpanIds = bytes.Slice(Header + (32 * records), 8 * records),
            TextEnds = MemoryMarshal.Cast<byte, int>(bytes.Slice(Header + (40 * records), 4 * Texts * records)),
            Severities = bytes.Slice(Header + ((40 + (4 * Texts)) * records), records),
            Heap = bytes[(Header + (PerRecord * records))..],
        };
    }

    /// <summary>A text of a record.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ReadOnlySpan<byte> Text(int record, int field)
    {
        var ends = TextEnds;
        var index = (record * Texts) + field;
        var start = index == 0 ? 0 : ends[index - 1];
        return Heap[start..ends[index]];
    }

    private ReadOnlySpan<byte> Column(int before, int width)
    {
        var count = Count;
        return Bytes.Span.Slice(Header + (before * count), width * count);
    }

    /// <summary>The columns of a block that is being laid out.</summary>
    public ref struct Parts
    {
        public Span<ulong> Times { get; init; }
        public Span<ulong> Observed { get; init; }
        public Span<byte> TraceIds { get; init; }
        public Span<byte> SpanIds { get; init; }
        public Span<int> TextEnds { get; init; }
        public Span<byte> Severities { get; init; }
        public Span<byte> Heap { get; init; }
    }
}

/// <summary>One record of a block, looked at where it lies.</summary>
public readonly ref struct LogRecord(LogBlock block, int index)
{
    /// <summary>Nanoseconds since 1970. Where the sender gave none, the observed time; never 0.</summary>
    public ulong Time => block.Times[index];

    /// <summary>Nanoseconds since 1970: when the sender saw it, or where it said nothing, when it came in.</summary>
    public ulong ObservedTime => block.ObservedTimes[index];

    /// <summary>0 (not said) to 24; see <see cref="LogSeverity"/>.</summary>
    public byte Severity => block.Severities[index];

    /// <summary>16 bytes, all zero when there is none.</summary>
    public ReadOnlySpan<byte> TraceId => block.TraceIds.Slice(index * 16, 16);

    /// <summary>8 bytes, all zero when there is none.</summary>
    public ReadOnlySpan<byte> SpanId => block.SpanIds.Slice(index * 8, 8);

    public ReadOnlySpan<byte> SeverityText => block.Text(index, 0);

    public ReadOnlySpan<byte> Service => block.Text(index, 1);

    public ReadOnlySpan<byte> Host => block.Text(index, 2);

    public ReadOnlySpan<byte> EventName => block.Text(index, 3);

    public ReadOnlySpan<byte> Body => block.Text(index, 4);

    /// <summary>One JSON object, or empty.</summary>
    public ReadOnlySpan<byte> Attributes => block.Text(index, 5);
}
