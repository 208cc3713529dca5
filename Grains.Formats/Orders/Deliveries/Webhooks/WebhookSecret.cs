using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>What an endpoint and we sign with (Standard Webhooks 1.0): 24 to 64 bytes, written as <c>whsec_</c> and base64.</summary>
/// <remarks>Only <see cref="Text"/> gives it away; <see cref="ToString"/> does not, for it ends up in logs.</remarks>
public sealed class WebhookSecret : IEquatable<WebhookSecret>
{
    public const string Prefix = "whsec_";

    public const int MinBytes = 24;

    public const int MaxBytes = 64;

    /// <summary>Of one that is made here: as many as its hash has (RFC 2104 §3).</summary>
    public const int NewBytes = 32;

    private readonly byte[] _key;

    private WebhookSecret(byte[] key) => _key = key;

    /// <summary>To be shown to its owner, and to be stored.</summary>
    public string Text => Prefix + Convert.ToBase64String(_key);

    internal ReadOnlySpan<byte> Key => _key;

    public static WebhookSecret New() => new(RandomNumberGenerator.GetBytes(NewBytes));

    /// <param name="error">A sentence that says what is wrong and what would be right. Nothing of the text is in it.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out WebhookSecret? secret, [NotNullWhen(false)] out string? error)
    {
        secret = null;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            error =
                $"A webhook's secret begins with \"{Prefix}\" and goes on with {MinBytes} to {MaxBytes} bytes in base64; this "
                + $"begins with something else.";
            return false;
        }

        var room = new byte[MaxBytes + 3];
        var base64 = text.AsSpan(Prefix.Length);

        // Convert skips blanks; nobody means them.
        if (
            base64.IndexOfAny(" \t\r\n") >= 0
            || base64.Length > 4 * ((MaxBytes + 2) / 3)
            || !Convert.TryFromBase64Chars(base64, room, out var length)
        )
        {
            error =
                base64.Length > 4 * ((MaxBytes + 2) / 3)
                    ? $"A webhook's secret has {MinBytes} to {MaxBytes} bytes; this has more."
                    : $"Behind \"{Prefix}\" stand {MinBytes} to {MaxBytes} bytes in base64 (letters, digits, \"+\", \"/\" and "
                        + $"\"=\" at its end); this is none.";
            return false;
        }

        if (length is < MinBytes or > MaxBytes)
        {
            error = $"A webhook's secret has {MinBytes} to {MaxBytes} bytes; this has {length}.";
            return false;
        }

        error = null;
        secret = new(room[..length]);
        return true;
    }

    /// <exception cref="FormatException">It is none, and why.</exception>
    public static WebhookSecret Parse(string text) =>
        TryParse(text, out var secret, out var error) ? secret : throw new FormatException(error);

    public bool Equals(WebhookSecret? other) => other is not null && CryptographicOperations.FixedTimeEquals(_key, other._key);

    public override bool Equals(object? obj) => Equals(obj as WebhookSecret);

    public override int GetHashCode() => BitConverter.ToInt32(SHA256.HashData(_key));

    public override string ToString() => Prefix + "…";
}
