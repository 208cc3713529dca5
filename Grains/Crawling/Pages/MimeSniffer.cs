using System.Buffers;

namespace Grains.Crawling.Pages;

/// <summary>
/// Which media type an answer is, by the WHATWG MIME Sniffing standard (§7 and §7.1) as far as HTML, XML and binary data are told apart;
/// pictures, sound, archives and fonts are binary data here. What a server says counts, unless it says nothing, or text of which no text is
/// to be expected.
/// </summary>
internal static class MimeSniffer
{
    public const string Binary = "application/octet-stream";

    /// <summary>§5.2: so many bytes are looked at.</summary>
    private const int HeaderBytes = 1445;

    /// <summary>§4.2 "binary data byte".</summary>
    private static readonly SearchValues<byte> BinaryBytes = SearchValues.Create([
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        0x0B,
        .. Enumerable.Range(0x0E, 13).Select(octet => (byte)octet),
        0x1C,
        0x1D,
        0x1E,
        0x1F,
    ]);

    /// <summary>§7.1: each is followed by a space or <c>&gt;</c>, in any case.</summary>
    private static readonly string[] HtmlStarts =
    [
        "<!DOCTYPE HTML",
        "<HTML",
        "<HEAD",
        "<SCRIPT",
        "<IFRAME",
        "<H1",
        "<DIV",
        "<FONT",
        "<TABLE",
        "<A",
        "<STYLE",
        "<TITLE",
        "<B",
        "<BODY",
        "<BR",
        "<P",
        "<!--",
    ];

    /// <param name="said">By the server; empty: nothing.</param>
    /// <param name="noSniff">X-Content-Type-Options: nothing that could run may be read into it.</param>
    /// <param name="plainByDefault">The server said just what old Apaches say of everything (§5.1): text, which may be binary.</param>
    /// <param name="body">From its first byte on.</param>
    public static string Type(string said, bool noSniff, bool plainByDefault, ReadOnlySpan<byte> body)
    {
        var start = body[..Math.Min(body.Length, HeaderBytes)];
        if (said is "" or "unknown/unknown" or "application/unknown" or "*/*")
        {
            return Unknown(start, sniffScriptable: !noSniff);
        }

        return !noSniff && plainByDefault && said == "text/plain" ? TextOrBinary(start) : said;
    }

    private static string Unknown(ReadOnlySpan<byte> start, bool sniffScriptable)
    {
        if (sniffScriptable)
        {
            var text = start.TrimStart("\t\n\f\r "u8);
            if (StartsHtml(text))
            {
                return "text/html";
            }

            if (text.StartsWith("<?xml"u8))
            {
                return "text/xml";
            }

            if (start.StartsWith("%PDF-"u8))
            {
                return "application/pdf";
            }
        }

        return start.StartsWith("%!PS-Adobe-"u8) ? "application/postscript" : TextOrBinary(start);
    }

    /// <summary>§7.2.</summary>
    private static string TextOrBinary(ReadOnlySpan<byte> start) =>
        start is [0xFE, 0xFF, ..] or [0xFF, 0xFE, ..] or [0xEF, 0xBB, 0xBF, ..] || start.IndexOfAny(BinaryBytes) < 0
            ? "text/plain"
            : Binary;

    private static bool StartsHtml(ReadOnlySpan<byte> text)
    {
        foreach (var begin in HtmlStarts)
        {
            if (
                text.Length > begin.Length
                && System.Text.Ascii.EqualsIgnoreCase(text[..begin.Length], begin)
                && text[begin.Length] is (byte)' ' or (byte)'>'
            )
            {
                return true;
            }
        }

        return false;
    }
}
