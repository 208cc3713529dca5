using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Grains.Interfaces.Orders;

/// <summary>
/// Under which name somebody asks, so that asking again is no second time (draft-ietf-httpapi-idempotency-key-header-07). The scope is the
/// API client and the key:
/// one client never meets another's order.
/// </summary>
public sealed class IdempotencyKey
{
    /// <summary>Characters of a key at most.</summary>
    public const int MaxLength = 255;

    private readonly byte[] _hash;

    private IdempotencyKey(byte[] hash) => _hash = hash;

    /// <summary>The step that is asked for under this key.</summary>
    public StepId StepId => new(Base32.Format(_hash));

    /// <param name="client">Who asks, such as the name of an API key.</param>
    public static IdempotencyKey Of(string client, string key)
    {
        // With its length in front, so that no client and key together look like another pair.
        var bytes = new byte[4 + Encoding.UTF8.GetByteCount(client) + Encoding.UTF8.GetByteCount(key)];
        var length = Encoding.UTF8.GetBytes(client, bytes.AsSpan(4));
        BinaryPrimitives.WriteInt32BigEndian(bytes, length);
        Encoding.UTF8.GetBytes(key, bytes.AsSpan(4 + length));
        return new(SHA256.HashData(bytes));
    }

    /// <summary>Of somebody who gave no key: it is never asked for again.</summary>
    public static IdempotencyKey Random() => new(RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes));

    /// <summary>Printable ASCII without spaces at its ends; 1 to <see cref="MaxLength"/> characters.</summary>
    public static bool IsKey(string text) =>
        text.Length is > 0 and <= MaxLength && !text.AsSpan().ContainsAnyExceptInRange(' ', '~') && text[0] != ' ' && text[^1] != ' ';

    /// <summary>The order that is placed under this key.</summary>
    /// <param name="partitions">How many there are: <see cref="IOrderListGrain.Partitions"/>.</param>
    public OrderId OrderId(int partitions) => Orders.OrderId.Of(_hash, partitions);
}
