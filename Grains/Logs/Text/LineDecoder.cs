using Grains.Logs.Otlp;
using Grains.Logs.Records;

namespace Grains.Logs.Text;

/// <summary>
/// Reads plain lines into a block: each line is a record, an empty one too, its text the body as it stands. A time at its start (RFC 3339, or a date and a time of day with a space between) is the
/// record's; one without an offset is in <paramref name="zone"/>. A line end is LF or CR LF.
/// </summary>
public sealed class LineDecoder(DecodeLimits limits, string service, string host, string fileName, TimeZoneInfo zone)
{
    /// <summary>A time, with its fraction and offset, is not longer.</summary>
    private const int LongestTime = 40;

    private readonly byte[] _service = System.Text.Encoding.UTF8.GetBytes(service is "" ? OtlpDecoder.UnknownService : service);
    private readonly byte[] _host = System.Text.Encoding.UTF8.GetBytes(host);

    /// <param name="now">Nanoseconds since 1970: the observed time, and the time of lines that carry none.</param>
    public Decoded Decode(ReadOnlySpan<byte> lines, ulong now, LogBlockBuilder into)
    {
        var decoded = new Decoded();
        using var attributes = new ByteHeap(64);
        attributes.Append("{\"log.file.name\":"u8);
        JsonText.WriteString(attributes, fileName);
        attributes.Append((byte)'}');
        while (!lines.IsEmpty)
        {
            var end = lines.IndexOf((byte)'\n');
            var line = end < 0 ? lines : lines[..end];
            lines = end < 0 ? default : lines[(end + 1)..];
            line = line is [.., (byte)'\r'] ? line[..^1] : line;
            decoded.Received++;
            if (line.Length > limits.MaxRecordBytes)
            {
                decoded.Refuse(decoded.Received, service, "too-large", $"The line has {line.Length} bytes; {limits.MaxRecordBytes} are the most.");
                continue;
            }

            into.Begin(TimeOf(line), now, 0, [], []);
            into.AddText(ReadOnlySpan<byte>.Empty);
            into.AddText(_service);
            into.AddText(_host);
            into.AddText(ReadOnlySpan<byte>.Empty);
            into.AddText(line);
            into.AddText(attributes.Written);
            into.End();
        }

        return decoded;
    }

    /// <summary>0 when the line begins with none.</summary>
    private ulong TimeOf(ReadOnlySpan<byte> line)
    {
        if (line.Length < 19 || line[4] != '-')
        {
            return 0;
        }

        var start = line[..Math.Min(line.Length, LongestTime)];
        var length = 19;
        while (length < start.Length && start[length] is >= (byte)'0' and <= (byte)'9' or (byte)'.' or (byte)',' or (byte)'+' or (byte)'-' or (byte)':' or (byte)'Z' or (byte)'z')
        {
            length++;
        }

        var text = start[..length].TrimEnd(",:"u8);
        if (!Rfc3339.TryParse(text, out var time))
        {
            return 0;
        }

        var hasOffset = text[^1] is (byte)'Z' or (byte)'z' || text[19..].ContainsAny((byte)'+', (byte)'-');
        return hasOffset ? time : InZone(time);
    }

    /// <summary>The moment at which clocks of the zone showed what was read as UTC. In the hour that a zone leaves out or has twice, its standard time counts.</summary>
    private ulong InZone(ulong shown)
    {
        var ticks = (long)(shown / 100);
        var local = new DateTime(DateTime.UnixEpoch.Ticks + ticks, DateTimeKind.Unspecified);
        var offset = zone.IsInvalidTime(local) ? zone.BaseUtcOffset : zone.GetUtcOffset(local);
        var moment = (long)shown - (offset.Ticks * 100);
        return moment > 0 ? (ulong)moment : shown;
    }
}
