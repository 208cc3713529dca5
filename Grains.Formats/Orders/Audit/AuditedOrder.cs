using Grains.Orders.Rows;

namespace Grains.Orders.Audit;

/// <summary>
/// What an entry of the kind <see cref="AuditEntryKind.OrderChange"/> says of the order after the change: nothing personal (see
/// <see cref="AuditEntry"/>).
/// </summary>
/// <param name="Status">The order's status.</param>
/// <param name="Currency">The currency's code.</param>
/// <param name="Total">What the lines come to, in minor units.</param>
/// <param name="LinesHash">From <see cref="HashLines"/>.</param>
public sealed record AuditedOrder(string Status, string Currency, long Total, MerkleHash LinesHash)
{
    private const byte FormatVersion = 1;

    /// <summary>Not 0, 1 or 2: the lines' hash cannot be that of a leaf, a node or a personal part.</summary>
    private const byte LinesPrefix = 3;

    private const int MaxTextBytes = 100;
    private const int MaxSkuBytes = 1024;

    /// <summary>
    /// A hash over the lines in their order. Not salted: lines are not personal, and stay with the order when its customer is erased.
    /// </summary>
    public static MerkleHash HashLines(IReadOnlyCollection<AuditedLine> lines)
    {
        var writer = new CanonicalWriter().Byte(LinesPrefix).Int32(lines.Count);
        foreach (var line in lines)
        {
            writer.Text(line.Sku, "article number", MaxSkuBytes).Int64(line.Quantity).Int64(line.Price);
        }

        return MerkleHash.Of(writer.ToBytes());
    }

    public byte[] Encode() =>
        new CanonicalWriter()
            .Byte(FormatVersion)
            .Text(Status, "status", MaxTextBytes)
            .Text(Currency, "currency", MaxTextBytes)
            .Int64(Total)
            .Hash(LinesHash)
            .ToBytes();

    /// <exception cref="FormatException">No audited order has these bytes.</exception>
    public static AuditedOrder Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new CanonicalReader(bytes, "An audited order");
        if (reader.Byte() is var format and not FormatVersion)
        {
            throw reader.Bad($"the format {format}; this program reads format {FormatVersion}");
        }

        var order = new AuditedOrder(reader.Text(MaxTextBytes), reader.Text(MaxTextBytes), reader.Int64(), reader.Hash());
        reader.End();
        return order;
    }
}

/// <summary>A line of an order. <paramref name="Price"/> is of one piece, in minor units.</summary>
public readonly record struct AuditedLine(string Sku, long Quantity, long Price);
