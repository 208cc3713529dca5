using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Grains.Orders.Lifecycle;

/// <summary>
/// An address that mail can go to, without quoted local parts and address literals (RFC 5321 §4.1.2), in letters beyond ASCII too (RFC
/// 6531).
/// </summary>
/// <param name="Local">Before the "@", as it was written.</param>
/// <param name="Domain">As DNS has it: in small letters, other letters as A-labels (IDNA).</param>
public readonly record struct EmailAddress(string Local, string Domain)
{
    /// <summary>RFC 5321 §4.5.3.1.3, without the brackets; bytes, the domain as DNS has it.</summary>
    public const int MaxBytes = 254;

    /// <summary>RFC 5321 §4.5.3.1.1; bytes.</summary>
    public const int MaxLocalBytes = 64;

    /// <summary>Only servers with SMTPUTF8 (RFC 6531) take it.</summary>
    public bool NeedsSmtpUtf8 => !Ascii.IsValid(Local);

    /// <param name="error">A sentence without the address.</param>
    public static bool TryParse(string? text, out EmailAddress address, [NotNullWhen(false)] out string? error)
    {
        address = default;
        var at = text?.LastIndexOf('@') ?? -1;
        if (text is null || at < 1 || at == text.Length - 1)
        {
            error = "An address has something before its \"@\" and something behind it, such as ann@example.org; this has not.";
            return false;
        }

        var (local, domain) = (text[..at], text[(at + 1)..]);
        if (!IsLocal(local))
        {
            error =
                $"Before its \"@\" an address has letters, digits and !#$%&'*+/=?^_`{{|}}~- with single full stops between, "
                + $"{MaxLocalBytes} bytes at most; this has something else.";
            return false;
        }

        if (!TryAscii(domain, out var ascii))
        {
            error = "Behind its \"@\" an address has a name of DNS, such as example.org; this has something else.";
            return false;
        }

        var bytes = Encoding.UTF8.GetByteCount(local) + 1 + ascii.Length;
        if (bytes > MaxBytes)
        {
            error = $"An address has {MaxBytes} bytes at most, as DNS writes it; this has {bytes}.";
            return false;
        }

        error = null;
        address = new(local, ascii);
        return true;
    }

    /// <summary>A name as DNS has it. What is in ASCII passes as it is: it is not for us to say which A-labels there may be.</summary>
    public static bool TryAscii(string domain, [NotNullWhen(true)] out string? ascii)
    {
        ascii = domain.ToLowerInvariant();
        if (!Ascii.IsValid(domain))
        {
            try
            {
                ascii = new IdnMapping { UseStd3AsciiRules = true }
                    .GetAscii(domain)
                    .ToLowerInvariant();
            }
            catch (ArgumentException)
            {
                ascii = null;
                return false;
            }
        }

        if (ascii.Length <= 253 && ascii.Split('.').All(IsLabel))
        {
            return true;
        }

        ascii = null;
        return false;
    }

    public override string ToString() => Local + "@" + Domain;

    private static bool IsLabel(string label) =>
        label.Length is >= 1 and <= 63
        && label[0] != '-'
        && label[^1] != '-'
        && label.All(character => char.IsAsciiLetterOrDigit(character) || character == '-');

    private static bool IsLocal(string local)
    {
        if (
            local[0] == '.'
            || local[^1] == '.'
            || local.Contains("..", StringComparison.Ordinal)
            || Encoding.UTF8.GetByteCount(local) > MaxLocalBytes
        )
        {
            return false;
        }

        for (var rest = local.AsSpan(); !rest.IsEmpty; )
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var length) != System.Buffers.OperationStatus.Done)
            {
                return false; // Half a character.
            }

            if (
                !(
                    rune.IsAscii
                        ? Rune.IsLetterOrDigit(rune) || "!#$%&'*+/=?^_`{|}~-.".Contains((char)rune.Value, StringComparison.Ordinal)
                        : IsWritten(rune)
                )
            )
            {
                return false;
            }

            rest = rest[length..];
        }

        return true;
    }

    /// <summary>Not a blank, a control or an invisible character, by which one address would look like another.</summary>
    private static bool IsWritten(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.SpaceSeparator
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.Surrogate
            );
}
