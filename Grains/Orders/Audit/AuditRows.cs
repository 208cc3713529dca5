using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Storage;

namespace Grains.Orders.Audit;

/// <summary>How a partition's audit is kept among the rows of its subscriber.</summary>
/// <remarks>
/// <code>
/// e.{last index}           entries of one commit, up to that index
/// p.{last index}           their personal parts, beside them: replaced by what is left when one is erased
/// o.{order}.{index}        which entries are about an order
/// tile.…                   the Merkle tree
/// </code>
/// The tree's frontier is in the head's row. A row of entries or of parts is each of them with its length before it, four bytes,
/// big-endian; a part that is not there has the length −1.
/// </remarks>
public static class AuditRows
{
    public const string EntryPrefix = "e.";

    public const string PersonalPrefix = "p.";

    public const string OrderPrefix = "o.";

    public static string Entries(long last) => string.Create(CultureInfo.InvariantCulture, $"{EntryPrefix}{last:x16}");

    public static string Personal(long last) => string.Create(CultureInfo.InvariantCulture, $"{PersonalPrefix}{last:x16}");

    /// <summary>The rows that hold the entry and those after it.</summary>
    public static KeyRange EntriesFrom(long index) => KeyRange.Prefix(EntryPrefix) with { From = Entries(index) };

    public static KeyRange PersonalFrom(long index) => KeyRange.Prefix(PersonalPrefix) with { From = Personal(index) };

    public static long LastIndex(string key) => long.Parse(key.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    public static string OfOrder(OrderId id, long index) =>
        string.Create(CultureInfo.InvariantCulture, $"{OrderPrefix}{id.Value}.{index:x16}");

    public static KeyRange OfOrder(OrderId id) => KeyRange.Prefix($"{OrderPrefix}{id.Value}.");

    public static long IndexIn(string orderKey) =>
        long.Parse(orderKey.AsSpan(orderKey.Length - 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    public static byte[] Write(IReadOnlyCollection<byte[]?> parts)
    {
        var bytes = new byte[parts.Sum(part => 4 + (part?.Length ?? 0))];
        var at = 0;
        foreach (var part in parts)
        {
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at), part?.Length ?? -1);
            part?.CopyTo(bytes, at + 4);
            at += 4 + (part?.Length ?? 0);
        }

        return bytes;
    }

    /// <summary>
    /// What <see cref="Write"/> wrote. What is cut off or has lengths that cannot be ends where that begins: who checks entries finds those
    /// after it missing.
    /// </summary>
    public static ImmutableArray<byte[]?> Read(ReadOnlyMemory<byte> row)
    {
        var parts = ImmutableArray.CreateBuilder<byte[]?>();
        for (var at = 0; at + 4 <= row.Length; )
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(row.Span[at..]);
            at += 4;
            if (length > row.Length - at)
            {
                break;
            }

            parts.Add(length < 0 ? null : row.Slice(at, length).ToArray());
            at += Math.Max(0, length);
        }

        return parts.ToImmutable();
    }
}
