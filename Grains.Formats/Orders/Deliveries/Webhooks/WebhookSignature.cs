using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Grains.Orders.Deliveries.Webhooks;

/// <summary>What a signature is found to be.</summary>
public enum SignatureVerdict
{
    Good,

    /// <summary>No <c>webhook-id</c>.</summary>
    NoId,

    /// <summary>No <c>webhook-timestamp</c>, or none in whole seconds since 1970.</summary>
    NoTimestamp,

    /// <summary>Signed longer ago than is tolerated: it may be a repeat by somebody else.</summary>
    TooOld,

    /// <summary>Signed further in the future than clocks differ.</summary>
    TooNew,

    /// <summary>No signature of a version that is known (<c>v1</c>).</summary>
    NoSignature,

    /// <summary>None of the signatures was made with one of the secrets over this message.</summary>
    Wrong,
}

/// <summary>
/// Standard Webhooks 1.0: <c>v1,</c> and base64 of HMAC-SHA256 over <c>id.timestamp.body</c>; several between spaces while secrets are
/// being rotated.
/// </summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";

    public const string TimestampHeader = "webhook-timestamp";

    public const string SignatureHeader = "webhook-signature";

    /// <summary>Clocks differ, and messages take a while: five minutes as the standard's libraries have it.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>Signatures of a header that are looked at; a longer header costs no more.</summary>
    public const int MostSignatures = 16;

    private const string Version = "v1,";

    /// <summary>The header's value: a signature for each secret, in their order.</summary>
    public static string Sign(string id, DateTimeOffset timestamp, ReadOnlySpan<byte> body, params ReadOnlySpan<WebhookSecret> secrets)
    {
        if (secrets.IsEmpty)
        {
            throw new ArgumentException("A message is signed with at least one secret.", nameof(secrets));
        }

        var head = Head(id, Seconds(timestamp));
        var header = new StringBuilder();
        foreach (var secret in secrets)
        {
            header.Append(header.Length == 0 ? "" : " ").Append(Version).Append(Convert.ToBase64String(Hash(head, body, secret)));
        }

        return header.ToString();
    }

    /// <summary>As <c>webhook-timestamp</c> carries it: whole seconds since 1970.</summary>
    public static string Seconds(DateTimeOffset timestamp) => timestamp.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Whether a message came from whoever has one of the secrets, lately. Takes as long for a wrong signature as for a right one.
    /// </summary>
    /// <param name="tolerance">In both directions; a message exactly so old is good.</param>
    public static SignatureVerdict Verify(
        string? id,
        string? timestamp,
        string? signatures,
        ReadOnlySpan<byte> body,
        ReadOnlySpan<WebhookSecret> secrets,
        DateTimeOffset now,
        TimeSpan tolerance
    )
    {
        if (string.IsNullOrEmpty(id))
        {
            return SignatureVerdict.NoId;
        }

        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            return SignatureVerdict.NoTimestamp;
        }

        var age = (Int128)now.ToUnixTimeSeconds() - seconds;
        if (age > (long)tolerance.TotalSeconds)
        {
            return SignatureVerdict.TooOld;
        }

        if (age < -(long)tolerance.TotalSeconds)
        {
            return SignatureVerdict.TooNew;
        }

        var given = Given(signatures);
        if (given.Count == 0)
        {
            return SignatureVerdict.NoSignature;
        }

        // The text is signed as it came: "01614265330" is another message than "1614265330".
        var head = Head(id, timestamp);
        var good = false;
        foreach (var secret in secrets)
        {
            var expected = Hash(head, body, secret);
            foreach (var signature in given)
            {
                good |= CryptographicOperations.FixedTimeEquals(expected, signature);
            }
        }

        return good ? SignatureVerdict.Good : SignatureVerdict.Wrong;
    }

    private static List<byte[]> Given(string? header)
    {
        var given = new List<byte[]>();
        foreach (var part in (header ?? "").Split(' ', MostSignatures + 1, StringSplitOptions.RemoveEmptyEntries).Take(MostSignatures))
        {
            var room = new byte[HMACSHA256.HashSizeInBytes];
            if (part.StartsWith(Version, StringComparison.Ordinal))
            {
                // One that is no hash is a wrong one.
                given.Add(
                    part.Length == Version.Length + 44 && Convert.TryFromBase64Chars(part.AsSpan(Version.Length), room, out var length)
                        ? room[..length]
                        : []
                );
            }
        }

        return given;
    }

    private static byte[] Head(string id, string seconds) => Encoding.UTF8.GetBytes($"{id}.{seconds}.");

    private static byte[] Hash(byte[] head, ReadOnlySpan<byte> body, WebhookSecret secret)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret.Key);
        hash.AppendData(head);
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }
}
