using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Grains.Storage;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>
/// What a link says, by which a customer wants no more mail: the hash of the customer's name, and that we said so (HMAC-SHA256, 128 bits of
/// it). The same for one customer as long as the key is the same;
/// nobody reads a name from it, and it never runs out (RFC 8058 wants links in old mails to work).
/// </summary>
public static class UnsubscribeToken
{
    /// <summary>Characters.</summary>
    public const int Length = 64;

    private const int HashBytes = 32;
    private const int SignatureBytes = 16;

    /// <summary>So that what is signed here means nothing elsewhere.</summary>
    private static readonly byte[] Purpose = "unsubscribe from mail: "u8.ToArray();

    public static string Make(byte[] key, string customer)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(customer));
        return Base64Url.EncodeToString([.. hash, .. Sign(key, hash)]);
    }

    /// <param name="customerKey">As <see cref="StoreLimits.HashKey"/> makes it of the customer's name.</param>
    public static bool TryRead(byte[] key, string token, [NotNullWhen(true)] out string? customerKey)
    {
        customerKey = null;
        Span<byte> bytes = stackalloc byte[HashBytes + SignatureBytes];
        if (
            token.Length != Length
            || !Base64Url.IsValid(token)
            || !Base64Url.TryDecodeFromChars(token, bytes, out var length)
            || length != bytes.Length
            || !CryptographicOperations.FixedTimeEquals(Sign(key, bytes[..HashBytes].ToArray()), bytes[HashBytes..])
        )
        {
            return false;
        }

        customerKey = Base64Url.EncodeToString(bytes[..HashBytes]);
        return true;
    }

    private static byte[] Sign(byte[] key, byte[] hash) => HMACSHA256.HashData(key, (byte[])[.. Purpose, .. hash])[..SignatureBytes];
}
