using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MimeKit;

namespace Grains.Orders.Mail;

/// <summary>Addresses that mail can go to: ASCII before the «@», a name of DNS behind it; what is written in other letters there goes out as DNS has it (IDNA).</summary>
public static class MailRecipient
{
    /// <summary>RFC 5321 §4.5.3.1.3, without the brackets.</summary>
    public const int MaxAddress = 254;

    /// <summary>RFC 5321 §4.5.3.1.1.</summary>
    public const int MaxLocal = 64;

    /// <summary>Characters of a name beside the address; the rest is cut.</summary>
    public const int MaxName = 70;

    /// <summary>Bytes of a name that is not ASCII: so many are one encoded word (RFC 2047 §2: 75 characters), and no mail program has to join pieces.</summary>
    public const int MaxNameBytes = 45;

    /// <param name="name">Shown beside the address. Control characters become blanks: no line of a header begins inside of it.</param>
    /// <param name="error">A sentence without the address.</param>
    public static bool TryParse(string? name, string? address, [NotNullWhen(true)] out MailboxAddress? mailbox, [NotNullWhen(false)] out string? error)
    {
        mailbox = null;
        var at = address?.LastIndexOf('@') ?? -1;
        if (address is null || at < 1 || at == address.Length - 1)
        {
            error = "An address has something before its «@» and something behind it, such as ann@example.org; this has not.";
            return false;
        }

        var (local, domain) = (address[..at], address[(at + 1)..]);
        if (local.Length > MaxLocal || local.Any(character => !char.IsAsciiLetterOrDigit(character) && !"!#$%&'*+/=?^_`{|}~-.".Contains(character, StringComparison.Ordinal))
            || local[0] == '.' || local[^1] == '.' || local.Contains("..", StringComparison.Ordinal))
        {
            error = $"Before its «@» an address has 1 to {MaxLocal} letters and digits of ASCII and !#$%&'*+/=?^_`{{|}}~- with single full stops between; this has something else.";
            return false;
        }

        if (!TryAscii(domain, out var ascii))
        {
            error = "Behind its «@» an address has a name of DNS, such as example.org; this has something else.";
            return false;
        }

        var whole = local + "@" + ascii;
        if (whole.Length > MaxAddress)
        {
            error = $"An address has {MaxAddress} characters at most, as DNS writes it; this has {whole.Length}.";
            return false;
        }

        error = null;
        mailbox = new(Name(name), whole);
        return true;
    }

    /// <summary>Blanks for control characters, line ends of Unicode among them; no half of a surrogate pair; at most so many characters.</summary>
    internal static string OneLine(string? text, int most)
    {
        var line = new System.Text.StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (line.Length + rune.Utf16SequenceLength > most)
            {
                break;
            }

            var category = System.Text.Rune.GetUnicodeCategory(rune);
            line.Append(category is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? " " : rune.ToString());
        }

        return line.ToString().Trim();
    }

    private static string Name(string? name)
    {
        var line = OneLine(name, MaxName);
        while (!System.Text.Ascii.IsValid(line) && System.Text.Encoding.UTF8.GetByteCount(line) > MaxNameBytes)
        {
            line = OneLine(line, line.Length - 1);
        }

        return line;
    }

    private static bool TryAscii(string domain, [NotNullWhen(true)] out string? ascii)
    {
        ascii = null;
        try
        {
            ascii = new IdnMapping { UseStd3AsciiRules = true }.GetAscii(domain).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return false;
        }

        return ascii.Split('.').All(label => label.Length is >= 1 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(character => char.IsAsciiLetterOrDigit(character) || character == '-'));
    }
}
