using System.Globalization;
using System.Text;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Urls;

/// <summary>WHATWG URL §3.5, host parsing: a name, an IPv4 address in any of its spellings, or an IPv6 address in brackets.</summary>
internal static class UrlHost
{
    /// <summary>UTS #46 reads the ideographic and the wide full stops as dots.</summary>
    private const string LabelEnds = ".\u3002\uFF0E\uFF61";

    private static readonly IdnMapping Idn = new() { AllowUnassigned = false, UseStd3AsciiRules = false };

    /// <summary>A host without its port.</summary>
    public static string NameOf(HostKey host)
    {
        var colon = host.Value.LastIndexOf(':');
        return colon < 0 || host.Value.EndsWith(']') ? host.Value : host.Value[..colon];
    }

    public static UrlFault Parse(ReadOnlySpan<char> text, out string? host)
    {
        host = null;
        if (text[0] == '[')
        {
            host = text[^1] == ']' ? Ipv6.Canonical(text[1..^1]) : null;
            return host is null ? UrlFault.Ipv6 : UrlFault.None;
        }

        var name = IsPlain(text) ? text.ToString() : ToAscii(PercentDecoded(text));
        if (string.IsNullOrEmpty(name) || name.AsSpan().ContainsAny(UrlCharacters.ForbiddenInDomain))
        {
            return UrlFault.Host;
        }

        if (Ipv4.EndsInNumber(name))
        {
            host = Ipv4.Canonical(name);
            return host is null ? UrlFault.Ipv4 : UrlFault.None;
        }

        // A final dot says that the name is whole, which it always is here: with and without it, it is one host, with one clock.
        host = name[^1] == '.' ? name[..^1] : name;
        return host is "" or [.., '.'] ? UrlFault.Host : UrlFault.None;
    }

    private static bool IsPlain(ReadOnlySpan<char> text) => text.IndexOfAnyExcept(UrlCharacters.PlainInHost) < 0;

    private static string PercentDecoded(ReadOnlySpan<char> text)
    {
        if (!text.Contains('%'))
        {
            return text.ToString();
        }

        var octets = new List<byte>(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        while (!text.IsEmpty)
        {
            var octet = text[0] == '%' ? UrlCharacters.Octet(text, 0) : -1;
            if (octet >= 0)
            {
                octets.Add((byte)octet);
                text = text[3..];
                continue;
            }

            Rune.DecodeFromUtf16(text, out var rune, out var used);
            octets.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
            text = text[used..];
        }

        return Encoding.UTF8.GetString([.. octets]);
    }

    /// <summary>
    /// Label by label: what is ASCII stays as it is, also where it says <c>xn--</c> and means nothing. Null when IDNA refuses a label.
    /// </summary>
    private static string? ToAscii(string name)
    {
        name = name.ToLowerAscii();
        if (Ascii.IsValid(name))
        {
            return name;
        }

        var ascii = new StringBuilder(name.Length + 16);
        foreach (var part in name.AsSpan().SplitAny(LabelEnds))
        {
            var label = name[part];
            if (part.Start.Value > 0)
            {
                ascii.Append('.');
            }

            if (Ascii.IsValid(label))
            {
                ascii.Append(label);
                continue;
            }

            try
            {
                ascii.Append(Idn.GetAscii(label).ToLowerAscii());
            }
            catch (ArgumentException)
            {
                // The only way in which IdnMapping says no.
                return null;
            }
        }

        return ascii.ToString();
    }

    private static string ToLowerAscii(this string name) => string.Create(name.Length, name, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = char.IsAsciiLetterUpper(source[i]) ? (char)(source[i] | 0x20) : source[i];
            }
        });
}
