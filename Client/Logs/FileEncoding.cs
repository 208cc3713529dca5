using System.Buffers.Binary;
using System.Text;

namespace Client.Logs;

/// <summary>
/// How the bytes of a file are lines of text: UTF-8, or UTF-16 and UTF-32 by their byte order mark, UTF-16 also without one where zeros
/// betray it.
/// </summary>
internal sealed class FileEncoding
{
    /// <summary>So many first bytes are looked at.</summary>
    public const int MaxBeginning = 64;

    private static readonly FileEncoding[] s_marked =
    [
        // UTF-32 before UTF-16: its mark begins with the other's.
        new(new UTF32Encoding(bigEndian: false, byteOrderMark: true), [0xff, 0xfe, 0, 0], [0x0a, 0, 0, 0]),
        new(new UTF32Encoding(bigEndian: true, byteOrderMark: true), [0, 0, 0xfe, 0xff], [0, 0, 0, 0x0a]),
        new(new UTF8Encoding(), [0xef, 0xbb, 0xbf], [0x0a]),
        new(new UnicodeEncoding(bigEndian: false, byteOrderMark: true), [0xff, 0xfe], [0x0a, 0]),
        new(new UnicodeEncoding(bigEndian: true, byteOrderMark: true), [0xfe, 0xff], [0, 0x0a]),
    ];

    private static readonly FileEncoding s_utf8 = new(new UTF8Encoding(), [], [0x0a]);
    private static readonly FileEncoding s_utf16 = new(new UnicodeEncoding(bigEndian: false, byteOrderMark: false), [], [0x0a, 0]);
    private static readonly FileEncoding s_utf16BigEndian = new(new UnicodeEncoding(bigEndian: true, byteOrderMark: false), [], [0, 0x0a]);

    private readonly Encoding _encoding;
    private readonly byte[] _mark;
    private readonly byte[] _lineEnd;

    private FileEncoding(Encoding encoding, byte[] mark, byte[] lineEnd) => (_encoding, _mark, _lineEnd) = (encoding, mark, lineEnd);

    /// <summary>With a byte order mark or without.</summary>
    public bool IsUtf8 => Unit == 1;

    /// <summary>Bytes that stand or fall together; every part of a file has a multiple of them.</summary>
    private int Unit => _lineEnd.Length;

    /// <param name="beginning">The file's first bytes.</param>
    public static FileEncoding Of(ReadOnlySpan<byte> beginning)
    {
        foreach (var marked in s_marked)
        {
            if (beginning.StartsWith(marked._mark))
            {
                return marked;
            }
        }

        var looked = beginning[..(Math.Min(beginning.Length, MaxBeginning) & ~1)];
        var (even, odd) = (Zeros(looked, 0), Zeros(looked, 1));
        // Text of UTF-8 has no zeros; of UTF-16 the signs of ASCII have one each, always on the same side.
        return looked.Length < 4 || Math.Max(even, odd) * 4 < looked.Length || Math.Min(even, odd) * 4 > Math.Max(even, odd) ? s_utf8
            : odd > even ? s_utf16
            : s_utf16BigEndian;
    }

    /// <summary>The length of what ends with the last line end; 0 when there is none.</summary>
    public int WholeLines(ReadOnlySpan<byte> bytes)
    {
        if (Unit == 1)
        {
            return bytes.LastIndexOf(_lineEnd[0]) + 1;
        }

        for (var end = WholeUnits(bytes); end > 0; end -= Unit)
        {
            if (bytes[..end].EndsWith(_lineEnd))
            {
                return end;
            }
        }

        return 0;
    }

    /// <summary>The length of the line end that the bytes begin with, LF or CR LF; 0 when they begin otherwise.</summary>
    public int LineEndAtStart(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(_lineEnd))
        {
            return Unit;
        }

        byte[] carriageReturn = [.. _lineEnd.Select(part => part == 0x0a ? (byte)0x0d : part)];
        return bytes.StartsWith(carriageReturn) && bytes[Unit..].StartsWith(_lineEnd) ? 2 * Unit : 0;
    }

    /// <summary>The length without a last unit of which bytes are missing.</summary>
    public int WholeUnits(ReadOnlySpan<byte> bytes) => bytes.Length - (bytes.Length % Unit);

    /// <summary>The length of what has whole characters only, at most 3 bytes less.</summary>
    public int WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        var length = WholeUnits(bytes);
        if (Unit == 2 && length >= 2 && char.IsHighSurrogate((char)UnitAt(bytes[(length - 2)..])))
        {
            return length - 2;
        }

        if (Unit == 1)
        {
            for (var back = 1; back <= Math.Min(3, length); back++)
            {
                var lead = bytes[length - back];
                if ((lead & 0xc0) == 0x80)
                {
                    continue;
                }

                var needed =
                    lead >= 0xf0 ? 4
                    : lead >= 0xe0 ? 3
                    : lead >= 0xc0 ? 2
                    : 1;
                return needed > back ? length - back : length;
            }
        }

        return length;
    }

    /// <summary>The text in UTF-8, without the byte order mark that a file begins with.</summary>
    public ReadOnlyMemory<byte> ToUtf8(ReadOnlyMemory<byte> part, bool isFirst)
    {
        var text = isFirst && part.Span.StartsWith(_mark) ? part[_mark.Length..] : part;
        return Unit == 1 ? text : Encoding.UTF8.GetBytes(_encoding.GetString(text.Span));
    }

    private ushort UnitAt(ReadOnlySpan<byte> bytes) =>
        _lineEnd[0] == 0 ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static int Zeros(ReadOnlySpan<byte> bytes, int from)
    {
        var zeros = 0;
        for (var at = from; at < bytes.Length; at += 2)
        {
            zeros += bytes[at] == 0 ? 1 : 0;
        }

        return zeros;
    }
}
