using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Grains.Logs.Records;

/// <summary>Writes JSON values (RFC 8259) straight into a heap: strings escaped as little as the grammar allows, no spaces.</summary>
public static class JsonText
{
    /// <summary>What cannot stand in a string as it is, or may be invalid: all but plain ASCII.</summary>
    private static readonly SearchValues<byte> NotPlain = SearchValues.Create([
        .. Enumerable.Range(0, 256).Select(value => (byte)value).Where(value => value is < 32 or > 127 or (byte)'"' or (byte)'\\'),
    ]);

    private static readonly SearchValues<byte> MustEscape = SearchValues.Create([
        .. Enumerable.Range(0, 32).Select(value => (byte)value),
        (byte)'"',
        (byte)'\\',
    ]);

    /// <summary>A string between quotes. What is no valid UTF-8 becomes U+FFFD.</summary>
    public static void WriteString(ByteHeap heap, ReadOnlySpan<byte> utf8)
    {
        if (!utf8.ContainsAny(NotPlain))
        {
            var room = heap.GetSpan(utf8.Length + 2);
            room[0] = (byte)'"';
            utf8.CopyTo(room[1..]);
            room[utf8.Length + 1] = (byte)'"';
            heap.Advance(utf8.Length + 2);
            return;
        }

        heap.Append((byte)'"');
        WriteContent(heap, utf8);
        heap.Append((byte)'"');
    }

    /// <summary>What stands between the quotes. What is no valid UTF-8 becomes U+FFFD.</summary>
    public static void WriteContent(ByteHeap heap, ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
        {
            WriteInvalid(heap, utf8);
        }
        else
        {
            WriteEscaped(heap, utf8);
        }
    }

    public static void WriteString(ByteHeap heap, ReadOnlySpan<char> text)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        WriteString(heap, bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes)));
        ArrayPool<byte>.Shared.Return(bytes);
    }

    public static void WriteNumber(ByteHeap heap, long number)
    {
        Utf8Formatter.TryFormat(number, heap.GetSpan(20), out var written);
        heap.Advance(written);
    }

    /// <summary>
    /// The shortest text that reads back as the same double; what JSON has no number for (NaN, infinities) is a string, as in protobuf's
    /// JSON.
    /// </summary>
    public static void WriteNumber(ByteHeap heap, double number)
    {
        if (!double.IsFinite(number))
        {
            heap.Append(
                double.IsNaN(number) ? "\"NaN\""u8
                : number > 0 ? "\"Infinity\""u8
                : "\"-Infinity\""u8
            );
            return;
        }

        number.TryFormat(heap.GetSpan(32), out var written, "R", CultureInfo.InvariantCulture);
        var text = heap.GetSpan(32)[..written];
        heap.Advance(written);
        if (!text.ContainsAny((byte)'.', (byte)'E'))
        {
            heap.Append(".0"u8); // So that a double stays one.
        }
    }

    /// <summary>
    /// The value that the reader stands on, as it is written here: numbers as they are, strings escaped as little as can be, no spaces.
    /// </summary>
    /// <param name="scratch">For what is unescaped on the way; what is in it goes.</param>
    public static void WriteValue(ByteHeap heap, ref Utf8JsonReader reader, ByteHeap scratch)
    {
        var depth = reader.CurrentDepth;
        var isFirst = true;
        while (true)
        {
            if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                heap.Append(reader.TokenType == JsonTokenType.EndObject ? (byte)'}' : (byte)']');
            }
            else
            {
                if (!isFirst)
                {
                    heap.Append((byte)',');
                }

                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    WriteToken(heap, ref reader, scratch);
                    heap.Append((byte)':');
                    reader.Read();
                }

                WriteToken(heap, ref reader, scratch);
            }

            isFirst = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
            if ((reader.CurrentDepth == depth && !isFirst) || !reader.Read())
            {
                return;
            }
        }
    }

    private static void WriteToken(ByteHeap heap, ref Utf8JsonReader reader, ByteHeap scratch)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String or JsonTokenType.PropertyName when reader.ValueIsEscaped:
                scratch.Cut(0);
                JsonUnescape.Append(scratch, ref reader);
                WriteString(heap, scratch.Written);
                break;
            case JsonTokenType.String or JsonTokenType.PropertyName:
                WriteString(heap, reader.ValueSpan);
                break;
            default:
                heap.Append(reader.ValueSpan); // A number, a word, or what begins an object or an array.
                break;
        }
    }

    private static void WriteEscaped(ByteHeap heap, ReadOnlySpan<byte> utf8)
    {
        for (int at; (at = utf8.IndexOfAny(MustEscape)) >= 0; utf8 = utf8[(at + 1)..])
        {
            heap.Append(utf8[..at]);
            switch (utf8[at])
            {
                case (byte)'"':
                    heap.Append("\\\""u8);
                    break;
                case (byte)'\\':
                    heap.Append("\\\\"u8);
                    break;
                case (byte)'\n':
                    heap.Append("\\n"u8);
                    break;
                case (byte)'\r':
                    heap.Append("\\r"u8);
                    break;
                case (byte)'\t':
                    heap.Append("\\t"u8);
                    break;
                case var control:
                    heap.Append("\\u00"u8);
                    heap.Append((byte)('0' + (control >> 4)));
                    heap.Append((byte)((control & 15) < 10 ? '0' + (control & 15) : 'a' + (control & 15) - 10));
                    break;
            }
        }

        heap.Append(utf8);
    }

    private static void WriteInvalid(ByteHeap heap, ReadOnlySpan<byte> utf8)
    {
        using var valid = new ByteHeap(utf8.Length + 16);
        valid.AppendText(utf8);
        WriteEscaped(heap, valid.Written);
    }
}
