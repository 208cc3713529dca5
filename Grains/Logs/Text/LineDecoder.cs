using Grains.Logs.Otlp;
using Grains.Logs.Records;

namespace Grains.Logs.Text;

/// <summary>
/// Reads plain lines into a block: each line is a record, an empty one too, its text the body as it stands. What the line says of time and
/// severity is the record's (<see cref="LineReader"/>).
/// A line end is LF or CR LF.
/// </summary>
/// <param name="zone">Of times without an offset.</param>
/// <param name="isMultiline">Lines that go on belong to the record before (<see cref="RecordJoiner"/>).</param>
public sealed class LineDecoder(
    DecodeLimits limits,
    string service,
    string host,
    string fileName,
    TimeZoneInfo zone,
    bool isMultiline = false
)
{
    private readonly byte[] _service = System.Text.Encoding.UTF8.GetBytes(service is "" ? OtlpDecoder.UnknownService : service);
    private readonly byte[] _host = System.Text.Encoding.UTF8.GetBytes(host);
    private readonly LineReader _reader = new(zone);

    /// <param name="now">Nanoseconds since 1970: the observed time, and the time of lines that carry none.</param>
    public Decoded Decode(ReadOnlySpan<byte> lines, ulong now, LogBlockBuilder into)
    {
        var decoded = new Decoded();
        var joiner = new RecordJoiner(_reader, Math.Min(RecordJoiner.MaxBytes, limits.MaxRecordBytes));
        using var attributes = new ByteHeap(64);
        attributes.Append("{\"log.file.name\":"u8);
        JsonText.WriteString(attributes, fileName);
        attributes.Append((byte)'}');
        var number = 1;
        while (!lines.IsEmpty)
        {
            var length =
                isMultiline ? joiner.Next(lines, now)
                : lines.IndexOf((byte)'\n') is >= 0 and var end ? end + 1
                : lines.Length;
            var record = lines[..length];
            lines = lines[length..];
            decoded.Received++;
            Read(WithoutEnd(record), number, now, into, attributes.Written, decoded);
            number += isMultiline ? record.Count((byte)'\n') : 1;
        }

        return decoded;
    }

    private void Read(ReadOnlySpan<byte> text, int number, ulong now, LogBlockBuilder into, ReadOnlySpan<byte> attributes, Decoded decoded)
    {
        if (text.Length > limits.MaxRecordBytes)
        {
            decoded.Refuse(
                number,
                service,
                DecodeLimits.TooLarge,
                $"The line has {text.Length} bytes; {limits.MaxRecordBytes} are the most."
            );
            return;
        }

        var facts = _reader.Read(text, now);
        var word = text[facts.Word];
        if (facts.Severity == 0 && isMultiline && text.IndexOf((byte)'\n') is >= 0 and var second)
        {
            // Java's own logger says it on the second line.
            var rest = text[(second + 1)..];
            facts = facts with { Severity = _reader.Read(rest, now) is { Time: 0 } more ? more.Severity : (byte)0, Word = default };
            word = facts.Severity > 0 ? rest[_reader.Read(rest, now).Word] : default;
        }

        into.Begin(facts.Time, now, facts.Severity, [], []);
        into.AddText(word);
        into.AddText(_service);
        into.AddText(_host);
        into.AddText(ReadOnlySpan<byte>.Empty);
        into.AddText(text);
        into.AddText(attributes);
        into.End();
    }

    private static ReadOnlySpan<byte> WithoutEnd(ReadOnlySpan<byte> record)
    {
        record = record is [.., (byte)'\n'] ? record[..^1] : record;
        return record is [.., (byte)'\r'] ? record[..^1] : record;
    }
}
