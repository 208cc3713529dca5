using System.Buffers;
using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Grains.Logs.Queries;

namespace Grains.Logs.Rules;

/// <summary>
/// Finds secrets in a text and writes their names in brackets instead: <c>[email]</c>, <c>[card]</c>, <c>[bearer]</c>, <c>[ip]</c>, and
/// <c>[redacted]</c> for a pattern of one's own.
/// </summary>
/// <remarks>
/// Everything here takes time linear in the text: patterns run without backtracking, so there is no time that one could exceed, and no
/// record that would have to be let through half read.
/// <list type="bullet">
/// <item>email: RFC 5321's dot-string and a domain with a dot, in ASCII.</item>
/// <item>card: 13 to 19 digits, together or in groups of four (15: 4-6-5) parted by one space or hyphen, beginning with 2 to 6, with a
/// right check digit (ISO/IEC 7812: Luhn), and no digit beside them.</item>
/// <item>bearer: <c>Bearer</c> in any case and the token behind it (RFC 6750 §2.1), both.</item>
/// <item>ip: IPv4 as four decimal numbers to 255, IPv6 in any form of RFC 4291 §2.2; <c>::</c> alone is none.</item>
/// </list>
/// </remarks>
internal static partial class SecretFinder
{
    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789"u8);
    private static readonly SearchValues<char> AddressCharacters = SearchValues.Create("0123456789abcdefABCDEF:.");
    private static readonly FoldedText Bearer = new("bearer"u8.ToArray());

    /// <summary>The text without the secrets; null when there are none in it, which costs no allocation.</summary>
    public static string? Redact(ReadOnlySpan<byte> utf8, ImmutableArray<Secret> secrets)
    {
        char[]? characters = null;
        var count = 0;
        string? redacted = null;
        foreach (var secret in secrets)
        {
            if (!MayHold(utf8, secret))
            {
                continue; // A look at the bytes spares most texts the rest. What stands in brackets for a secret holds none itself.
            }

            if (characters is null)
            {
                characters = ArrayPool<char>.Shared.Rent(utf8.Length);
                count = Encoding.UTF8.GetChars(utf8, characters);
            }

            redacted = Redact(redacted is null ? characters.AsSpan(0, count) : redacted, secret) ?? redacted;
        }

        if (characters is not null)
        {
            ArrayPool<char>.Shared.Return(characters);
        }

        return redacted;
    }

    private static bool MayHold(ReadOnlySpan<byte> utf8, Secret secret) =>
        secret switch
        {
            { Pattern: not null } => !utf8.IsEmpty,
            _ when ReferenceEquals(secret, Secret.Email) => utf8.Contains((byte)'@'),
            _ when ReferenceEquals(secret, Secret.Card) => utf8.Length >= 13 && utf8.ContainsAny(Digits),
            _ when ReferenceEquals(secret, Secret.Bearer) => Bearer.FindIn(utf8) >= 0,
            _ => utf8.ContainsAny((byte)'.', (byte)':'),
        };

    private static string? Redact(ReadOnlySpan<char> text, Secret secret)
    {
        StringBuilder? redacted = null;
        var done = 0;
        while (Next(text, done, secret) is var (start, end))
        {
            redacted ??= new(text.Length);
            redacted.Append(text[done..start]).Append('[').Append(secret.Name).Append(']');
            done = end;
        }

        return redacted?.Append(text[done..]).ToString();
    }

    private static (int Start, int End)? Next(ReadOnlySpan<char> text, int from, Secret secret) =>
        secret switch
        {
            { Pattern: { } pattern } => Of(pattern.Regex, text, from),
            _ when (object)secret == Secret.Email => Of(EmailForm(), text, from),
            _ when (object)secret == Secret.Bearer => Of(BearerForm(), text, from),
            _ when (object)secret == Secret.Card => Card(text, from),
            _ => Ip(text, from),
        };

    private static (int Start, int End)? Of(Regex regex, ReadOnlySpan<char> text, int from)
    {
        foreach (var match in regex.EnumerateMatches(text, from))
        {
            if (match.Length > 0)
            {
                return (match.Index, match.Index + match.Length);
            }
        }

        return null;
    }

    private static (int Start, int End)? Card(ReadOnlySpan<char> text, int from)
    {
        for (var start = from; start < text.Length; start++)
        {
            if (!char.IsAsciiDigit(text[start]))
            {
                continue;
            }

            if (text[start] is >= '2' and <= '6' && CardEnd(text, start) is { } end)
            {
                return (start, end);
            }

            while (start + 1 < text.Length && char.IsAsciiDigit(text[start + 1]))
            {
                start++; // Not within a longer number.
            }
        }

        return null;
    }

    private static int? CardEnd(ReadOnlySpan<char> text, int start)
    {
        Span<int> groups = stackalloc int[6];
        Span<char> digits = stackalloc char[19];
        var (count, group, at) = (0, 0, start);
        var separator = '\0';
        while (true)
        {
            for (; at < text.Length && char.IsAsciiDigit(text[at]); at++)
            {
                if (count == digits.Length)
                {
                    return null;
                }

                digits[count++] = text[at];
                groups[group]++;
            }

            if (
                group + 1 < groups.Length
                && at + 1 < text.Length
                && text[at] is ' ' or '-'
                && (separator is '\0' || separator == text[at])
                && char.IsAsciiDigit(text[at + 1])
                && groups[0] == 4
            )
            {
                separator = text[at++];
                group++;
                continue;
            }

            break;
        }

        // A number behind the card's own groups is no part of it: 4111 1111 1111 1111 12.
        for (; group >= 0; count -= groups[group], at -= groups[group] + 1, group--)
        {
            if (count is >= 13 and <= 19 && AreGroupsOfACard(groups[..(group + 1)]) && Luhn(digits[..count]))
            {
                return at;
            }
        }

        return null;
    }

    private static bool AreGroupsOfACard(ReadOnlySpan<int> groups) =>
        groups.Length == 1 || groups.SequenceEqual([4, 6, 5]) || (!groups[..^1].ContainsAnyExcept(4) && groups[^1] <= 4);

    private static bool Luhn(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        for (var at = 0; at < digits.Length; at++)
        {
            var digit = digits[^(at + 1)] - '0';
            digit *= at % 2 == 1 ? 2 : 1;
            sum += digit > 9 ? digit - 9 : digit;
        }

        return sum % 10 == 0;
    }

    private static (int Start, int End)? Ip(ReadOnlySpan<char> text, int from)
    {
        for (var at = from; at < text.Length; )
        {
            var start = text[at..].IndexOfAny(AddressCharacters);
            if (start < 0)
            {
                return null;
            }

            start += at;
            var length = text[start..].IndexOfAnyExcept(AddressCharacters);
            var end = length < 0 ? text.Length : start + length;
            at = end;
            var isWithinAWord =
                (start > 0 && char.IsLetterOrDigit(text[start - 1])) || (end < text.Length && char.IsLetterOrDigit(text[end]));
            if (!isWithinAWord && AddressIn(text[start..end]) is var (first, last))
            {
                return (start + first, start + last);
            }
        }

        return null;
    }

    /// <summary>
    /// In a run of hexadecimal digits, colons and dots: all of it, without the signs of punctuation at its ends, or an IPv4 address with a
    /// port.
    /// </summary>
    private static (int First, int Last)? AddressIn(ReadOnlySpan<char> run)
    {
        var last = run.TrimEnd('.').Length;
        last = run[..last].EndsWith("::") ? last : run[..last].TrimEnd(':').Length;
        var first = run[..last].StartsWith("::") ? 0 : run[..last].Length - run[..last].TrimStart(".:").Length;
        var inside = run[first..last];
        if (inside.Count(':') >= 2)
        {
            return inside.Length is > 2 and <= 45 && IPAddress.TryParse(inside, out _) ? (first, last) : null;
        }

        // 10.0.0.1:8080, and key:10.0.0.1
        for (var from = 0; from < inside.Length; )
        {
            var colon = inside[from..].IndexOf(':');
            var end = colon < 0 ? inside.Length : from + colon;
            if (IsIpv4(inside[from..end]))
            {
                return (first + from, first + end);
            }

            from = end + 1;
        }

        return null;
    }

    private static bool IsIpv4(ReadOnlySpan<char> text)
    {
        var parts = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (
                part.Length is 0 or > 3
                || part.ContainsAnyExceptInRange('0', '9')
                || int.Parse(part, System.Globalization.CultureInfo.InvariantCulture) > 255
            )
            {
                return false;
            }

            parts++;
        }

        return parts == 4;
    }

    [GeneratedRegex(
        @"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,63}",
        RegexOptions.NonBacktracking | RegexOptions.CultureInvariant
    )]
    private static partial Regex EmailForm();

    [GeneratedRegex(@"\b[Bb][Ee][Aa][Rr][Ee][Rr][ \t]+[A-Za-z0-9._~+/-]+=*", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant)]
    private static partial Regex BearerForm();
}
