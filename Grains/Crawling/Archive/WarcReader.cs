using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Grains.Crawling.Archive;

/// <summary>A WARC record.</summary>
/// <param name="Fields">Its named fields; names are compared without case.</param>
/// <param name="Block">Its content block.</param>
internal sealed record WarcRecord(IReadOnlyDictionary<string, string> Fields, ReadOnlyMemory<byte> Block)
{
    public string Type => Fields.GetValueOrDefault("WARC-Type", "");
}

/// <summary>Reads the records that <see cref="WarcWriter"/> wrote.</summary>
internal static class WarcReader
{
    /// <summary>All records of joined gzip members, in order.</summary>
    /// <exception cref="InvalidDataException">The bytes are no whole WARC records.</exception>
    public static List<WarcRecord> Read(ReadOnlyMemory<byte> members)
    {
        using var packed = new MemoryStream(members.ToArray(), writable: false);
        using var gzip = new GZipStream(packed, CompressionMode.Decompress);
        using var unpacked = new MemoryStream();
        gzip.CopyTo(unpacked);
        var rest = unpacked.GetBuffer().AsMemory(0, (int)unpacked.Length);
        var records = new List<WarcRecord>();
        while (!rest.IsEmpty)
        {
            records.Add(ReadOne(ref rest));
        }

        return records;
    }

    private static WarcRecord ReadOne(ref Memory<byte> rest)
    {
        var end = rest.Span.IndexOf("\r\n\r\n"u8);
        if (end < 0 || !rest.Span.StartsWith("WARC/1.1\r\n"u8))
        {
            throw new InvalidDataException("A record does not begin with a WARC/1.1 header.");
        }

        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in Encoding.UTF8.GetString(rest.Span[..end]).Split("\r\n").Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            fields[line[..colon]] = line[(colon + 1)..].Trim();
        }

        var length = int.Parse(fields["Content-Length"], CultureInfo.InvariantCulture);
        var block = rest.Slice(end + 4);
        if (block.Length < length + 4)
        {
            throw new InvalidDataException($"A record says that it has {length} bytes, and {block.Length - 4} follow.");
        }

        rest = block[(length + 4)..];
        return new(fields, block[..length]);
    }
}
