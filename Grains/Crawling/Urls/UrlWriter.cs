using System.Buffers;
using System.Globalization;
using System.Text;

namespace Grains.Crawling.Urls;

/// <summary>
/// Writes canonical text into a buffer of fixed size; what does not fit is dropped and remembered as <see cref="Overflown"/>.
/// </summary>
internal ref struct UrlWriter(Span<char> buffer)
{
    private const string Hex = "0123456789ABCDEF";

    private readonly Span<char> _buffer = buffer;

    public int Length { get; private set; }

    public bool Overflown { get; private set; }

    public readonly ReadOnlySpan<char> Written => _buffer[..Length];

    public void Append(char c)
    {
        if (Length < _buffer.Length)
        {
            _buffer[Length++] = c;
        }
        else
        {
            Overflown = true;
        }
    }

    public void Append(ReadOnlySpan<char> text)
    {
        if (text.TryCopyTo(_buffer[Length..]))
        {
            Length += text.Length;
        }
        else
        {
            Overflown = true;
        }
    }

    /// <summary>
    /// Writes what is <paramref name="plain"/> as it stands, existing escapes in canonical form, and the rest as escapes of its UTF-8, or
    /// of what it is in <paramref name="encoding"/>.
    /// </summary>
    public void AppendEscaped(ReadOnlySpan<char> text, SearchValues<char> plain, Encoding? encoding = null)
    {
        while (!Overflown)
        {
            var run = text.IndexOfAnyExcept(plain);
            if (run < 0)
            {
                Append(text);
                return;
            }

            Append(text[..run]);
            text = text[run..];
            if (text[0] == '%')
            {
                var octet = UrlCharacters.Octet(text, 0);
                AppendEscape(octet);
                text = text[(octet < 0 ? 1 : 3)..];
            }
            else if (encoding is not null && !char.IsAscii(text[0]))
            {
                var end = text.IndexOfAnyInRange('\0', '\x7f');
                AppendEncoded(end < 0 ? text : text[..end], plain, encoding);
                text = end < 0 ? [] : text[end..];
            }
            else
            {
                Rune.DecodeFromUtf16(text, out var rune, out var used);
                AppendOctets(rune);
                text = text[used..];
            }
        }
    }

    public void AppendOctet(int octet)
    {
        Append('%');
        Append(Hex[octet >> 4]);
        Append(Hex[octet & 0xF]);
    }

    /// <summary>Takes the last segment of a path back; the written text ends with a slash before and after.</summary>
    public void DropLastSegment(int pathStart)
    {
        var end = _buffer[pathStart..(Length - 1)].LastIndexOf('/');
        Length = pathStart + Math.Max(end, 0) + 1;
    }

    private void AppendEscape(int octet)
    {
        if (octet < 0)
        {
            Append('%');
        }
        else if (UrlCharacters.IsUnreserved(octet) && !WouldCompleteAnEscape((char)octet))
        {
            Append((char)octet);
        }
        else
        {
            AppendOctet(octet);
        }
    }

    /// <summary>
    /// WHATWG URL §1.3, "percent-encode after encoding": octets that are plain characters stay, also the second of two that make one. What
    /// the encoding does not have is written as a numeric character reference, <c>&amp;#1234;</c>, escaped.
    /// </summary>
    /// <param name="encoding">Writes nothing for a character that it does not have.</param>
    private void AppendEncoded(ReadOnlySpan<char> text, SearchValues<char> plain, Encoding encoding)
    {
        Span<byte> octets = stackalloc byte[32];
        Span<char> character = stackalloc char[2];
        foreach (var rune in text.EnumerateRunes())
        {
            var count = encoding.GetBytes(character[..rune.EncodeToUtf16(character)], octets);
            if (count == 0)
            {
                Append("%26%23");
                Append(rune.Value.ToString(CultureInfo.InvariantCulture));
                Append("%3B");
            }

            foreach (var octet in octets[..count])
            {
                if (plain.Contains((char)octet))
                {
                    Append((char)octet);
                }
                else
                {
                    AppendOctet(octet);
                }
            }
        }
    }

    /// <summary>In <c>%%341</c> the 4 stays an escape: decoded, the text would read <c>%41</c>, and A the next time.</summary>
    private readonly bool WouldCompleteAnEscape(char c) =>
        char.IsAsciiHexDigit(c)
        && Length >= 2
        && (_buffer[Length - 1] == '%' || (_buffer[Length - 2] == '%' && char.IsAsciiHexDigit(_buffer[Length - 1])));

    private void AppendOctets(Rune rune)
    {
        Span<byte> octets = stackalloc byte[4];
        foreach (var octet in octets[..rune.EncodeToUtf8(octets)])
        {
            AppendOctet(octet);
        }
    }
}
