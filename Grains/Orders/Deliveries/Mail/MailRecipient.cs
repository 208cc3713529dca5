using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Grains.Orders.Lifecycle;
using MimeKit;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>Addresses that mail can go to (<see cref="EmailAddress"/>), with the name that is shown beside them.</summary>
public static class MailRecipient
{
    /// <summary>Characters of a name beside the address; the rest is cut.</summary>
    public const int MaxName = 70;

    /// <summary>
    /// Bytes of a name that is not ASCII: so many are one encoded word (RFC 2047 §2: 75 characters), and no mail program has to join
    /// pieces.
    /// </summary>
    public const int MaxNameBytes = 45;

    /// <param name="name">Shown beside the address. Control characters become blanks: no line of a header begins inside of it.</param>
    /// <param name="error">A sentence without the address.</param>
    public static bool TryParse(
        string? name,
        string? address,
        [NotNullWhen(true)] out MailboxAddress? mailbox,
        [NotNullWhen(false)] out string? error
    )
    {
        mailbox = null;
        if (!EmailAddress.TryParse(address, out var parsed, out error))
        {
            return false;
        }

        mailbox = new(Name(name), parsed.ToString());
        return true;
    }

    /// <summary>
    /// Blanks for control characters, line ends of Unicode among them; no half of a surrogate pair; at most so many characters.
    /// </summary>
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
            line.Append(
                category is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                    ? " "
                    : rune.ToString()
            );
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
}
