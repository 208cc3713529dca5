using System.Text;
using System.Text.Unicode;

namespace Grains.Crawling.Pages;

/// <summary>
/// Which encoding a page is written in: byte order mark, Content-Type, a meta in the first <see cref="PrescanBytes"/> bytes, an XML
/// declaration, UTF-8 if it is valid, else windows-1252. Of XML the declaration counts before a meta.
/// </summary>
internal static class PageText
{
    public const int PrescanBytes = 1024;

    private static readonly Encoding Windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    /// <summary>A body as text; null when its type is none that is text.</summary>
    /// <param name="isCut">The body is not here whole.</param>
    public static string? Decode(ReadOnlySpan<byte> body, ContentType type, bool isCut)
    {
        if (!type.IsHtml && !type.IsXml && !type.MediaType.StartsWith("text/", StringComparison.Ordinal) && !IsJson(type.MediaType))
        {
            return null;
        }

        var charset = type.Charset ?? (type.IsHtml || type.IsXml ? null : "utf-8");
        var encoding = Detect(body, charset, type.IsXml, isCut, out var mark);
        return encoding.GetString(body[mark..]);
    }

    private static bool IsJson(string mediaType) =>
        mediaType == "application/json" || mediaType.EndsWith("+json", StringComparison.Ordinal);

    /// <param name="body">From its first byte on.</param>
    /// <param name="charset">What Content-Type says; null when it does not.</param>
    /// <param name="isXml">It is read as XML.</param>
    /// <param name="cut">The body's end is missing: half a character there is no mistake.</param>
    /// <param name="markBytes">How long the byte order mark is, which is no text.</param>
    public static Encoding Detect(ReadOnlySpan<byte> body, string? charset, bool isXml, bool cut, out int markBytes)
    {
        if (FromMark(body, out markBytes) is { } marked)
        {
            return marked;
        }

        if (charset is not null && EncodingLabels.Find(charset) is { } declared)
        {
            return declared;
        }

        if (FromUtf16Declaration(body) is { } wide)
        {
            return wide;
        }

        var start = body[..Math.Min(body.Length, PrescanBytes)];
        if ((isXml ? FromDeclaration(start) ?? FromMeta(start) : FromMeta(start) ?? FromDeclaration(start)) is { } written)
        {
            return written;
        }

        return Utf8.IsValid(cut ? WithoutHalfCharacter(body) : body) ? Encoding.UTF8 : Windows1252;
    }

    private static Encoding? FromMark(ReadOnlySpan<byte> body, out int length)
    {
        (length, var encoding) = body switch
        {
            [0xEF, 0xBB, 0xBF, ..] => (3, Encoding.UTF8),
            [0xFE, 0xFF, ..] => (2, Encoding.BigEndianUnicode),
            [0xFF, 0xFE, ..] => (2, Encoding.Unicode),
            _ => (0, null),
        };
        return encoding;
    }

    /// <summary>HTML §13.2.3.2: <c>&lt;?x</c> in two bytes a character is UTF-16 without its mark.</summary>
    private static Encoding? FromUtf16Declaration(ReadOnlySpan<byte> body) =>
        body switch
        {
            [0x3C, 0, 0x3F, 0, 0x78, 0, ..] => Encoding.Unicode,
            [0, 0x3C, 0, 0x3F, 0, 0x78, ..] => Encoding.BigEndianUnicode,
            _ => null,
        };

    /// <summary>HTML §13.2.3.2, "get an XML encoding": of <c>&lt;?xml version="1.0" encoding="…"?></c>.</summary>
    private static Encoding? FromDeclaration(ReadOnlySpan<byte> start)
    {
        var end = start.IndexOf((byte)'>');
        if (!start.StartsWith("<?xml"u8) || end < 0)
        {
            return null;
        }

        var declaration = start[..end];
        var name = declaration.IndexOf("encoding"u8);
        var rest = name < 0 ? default : PassSpace(declaration[(name + "encoding".Length)..]);
        if (rest is not [(byte)'=', ..])
        {
            return null;
        }

        rest = PassSpace(rest[1..]);
        var length = rest is [(byte)'"' or (byte)'\'', ..] ? rest[1..].IndexOf(rest[0]) : -1;

        // What could be read as ASCII up to here is not UTF-16.
        return length < 0 || EncodingLabels.Find(Encoding.Latin1.GetString(rest.Slice(1, length))) is not { } encoding ? null
            : encoding.CodePage is 1200 or 1201 ? Encoding.UTF8
            : encoding;
    }

    private static ReadOnlySpan<byte> PassSpace(ReadOnlySpan<byte> text)
    {
        while (text is [<= 0x20, ..])
        {
            text = text[1..];
        }

        return text;
    }

    private static Encoding? FromMeta(ReadOnlySpan<byte> start)
    {
        Span<char> text = stackalloc char[PrescanBytes];
        Encoding.Latin1.GetChars(start, text);
        Span<HtmlScanner.Attribute> attributes = stackalloc HtmlScanner.Attribute[HtmlScanner.MaxAttributes];
        var scanner = new HtmlScanner(text[..start.Length], attributes);
        while (scanner.Read() is var kind and not HtmlTokenKind.End)
        {
            if (
                kind == HtmlTokenKind.StartTag
                && scanner.Is("meta")
                && Label(scanner) is { } label
                && EncodingLabels.Find(label) is { } encoding
            )
            {
                // What could be read as ASCII up to here is not UTF-16 (§13.2.3.2).
                return encoding.CodePage is 1200 or 1201 ? Encoding.UTF8 : encoding;
            }
        }

        return null;
    }

    private static string? Label(HtmlScanner meta)
    {
        if (meta.TryGet("charset", out var charset))
        {
            return CharacterReferences.InAttribute(charset);
        }

        return
            meta.TryGet("http-equiv", out var name)
            && name.Trim(Html.Space).Equals("content-type", StringComparison.OrdinalIgnoreCase)
            && meta.TryGet("content", out var content)
            ? ContentType.Parse(CharacterReferences.InAttribute(content)).Charset
            : null;
    }

    private static ReadOnlySpan<byte> WithoutHalfCharacter(ReadOnlySpan<byte> body)
    {
        for (var back = 1; back <= 3 && back <= body.Length; back++)
        {
            var lead = body[^back];
            if (lead is < 0x80 or > 0xF4)
            {
                break;
            }

            if (lead >= 0xC0)
            {
                var whole =
                    lead >= 0xF0 ? 4
                    : lead >= 0xE0 ? 3
                    : 2;
                return back < whole ? body[..^back] : body;
            }
        }

        return body;
    }
}
