using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Grains.Interfaces.Keys;

namespace Silo.Keys;

/// <summary>
/// One key as it is kept: never its secret. The secret that its bearer sends is <c>NAME.</c> and 43 characters of base64url, 256 random
/// bits.
/// </summary>
/// <param name="Hash">SHA-256 of the whole secret. A slow hash is for secrets that people choose; nobody tries 2²⁵⁶ of these.</param>
public sealed record ApiKey(string Name, ApiRole Role, byte[] Hash, DateTimeOffset AddedAt)
{
    private const int SecretBytes = 32;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
    );

    /// <summary>1 to 60 letters, digits, <c>-</c> and <c>_</c>.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= IApiKeysGrain.MaxNameLength && !text.AsSpan().ContainsAnyExcept(NameCharacters);

    public static ApiKey Make(string name, ApiRole role, DateTimeOffset now, out string secret)
    {
        secret = $"{name}.{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes))}";
        return new(name, role, HashOf(secret), now);
    }

    /// <summary>The key of a secret that is known already.</summary>
    /// <exception cref="ArgumentException">It has not the form of one.</exception>
    public static ApiKey Of(string secret, ApiRole role, DateTimeOffset now) =>
        new(
            NameIn(secret) ?? throw new ArgumentException("It has not the form of an API key's secret.", nameof(secret)),
            role,
            HashOf(secret),
            now
        );

    /// <summary>The name that a secret claims; null when it is none of ours by its form.</summary>
    public static string? NameIn(string secret)
    {
        var dot = secret.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && secret.Length - dot - 1 == Base64Url.GetEncodedLength(SecretBytes) && IsName(secret[..dot])
            ? secret[..dot]
            : null;
    }

    /// <summary>Takes as long whichever byte differs.</summary>
    public bool IsOpenedBy(string secret) => CryptographicOperations.FixedTimeEquals(Hash, HashOf(secret));

    private static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
