using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Lifecycle;

/// <summary>
/// Tells whether the same order was asked for again: a hash over everything that was given, each part with its length, and nothing that was
/// added here.
/// </summary>
public static class OrderHash
{
    private const int Bytes = 16;

    /// <summary>22 characters of base64url.</summary>
    public static string Of(Order order)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> number = stackalloc byte[sizeof(long)];
        Add(hash, order.Customer);
        Add(hash, order.Currency);
        Add(hash, order.Notes);
        Add(hash, order.Email);
        Add(hash, order.Language);
        Add(hash, order.PayBefore?.UtcTicks ?? -1, number);
        foreach (var line in order.Lines)
        {
            Add(hash, line.Sku);
            Add(hash, line.Quantity, number);
            Add(hash, line.Price, number);
        }

        Span<byte> all = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(all);
        return Base64Url.EncodeToString(all[..Bytes]);
    }

    /// <summary>None and an empty one differ.</summary>
    private static void Add(IncrementalHash hash, string? text)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        Add(hash, text is null ? -1 : Encoding.UTF8.GetByteCount(text), number);
        if (text is not null)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(text));
        }
    }

    private static void Add(IncrementalHash hash, long value, Span<byte> number)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(number, value);
        hash.AppendData(number);
    }
}
