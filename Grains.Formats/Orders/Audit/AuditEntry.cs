using Grains.Orders.Rows;

namespace Grains.Orders.Audit;

/// <summary>
/// One leaf of a partition's audit: its canonical bytes (<see cref="Encode"/>) are the leaf's data, and what is stored.
/// </summary>
/// <remarks>
/// <para>What an entry says in clear stays for ever, so nothing in it is about a person. <b>Personal</b> is: customer, e-mail address,
/// language and notes
/// (<see cref="PersonalPart"/>). <b>Not personal</b> is: place and revision, order id (made from hashes, it names nobody once the order's
/// own row has no customer), version, type, time, status,
/// currency, total, and the hash over the lines (<see cref="AuditedOrder.HashLines"/>: article number, quantity, price).
/// An article number is no place for free text; what a customer wants engraved belongs in the notes.</para>
/// <para>The personal part is present as a commitment: <see cref="PersonalHash"/> = SHA-256 over a random salt of this entry and the part
/// (<see cref="SaltedPersonal"/>).
/// Salt and part are kept beside the entry, in a row of their own. While they are there anybody can check them against the leaf. Once they
/// are erased the hash tells nothing, and the leaf,
/// its proofs and every signed head hold as before. Without a salt, who has a list of customers could hash each and compare; with one salt
/// for all, two entries of one customer would show
/// the same hash, and one salt that leaked would open them all.</para>
/// </remarks>
public sealed record AuditEntry
{
    /// <summary>Bytes of an order's id, or of another id in its place.</summary>
    public const int MaxOrderIdBytes = 500;

    /// <summary>Bytes of a type.</summary>
    public const int MaxTypeBytes = 100;

    /// <summary>Bytes of a payload.</summary>
    public const int MaxPayloadBytes = 16 * 1024;

    private const byte FormatVersion = 1;

    public required AuditEntryKind Kind { get; init; }

    public required int Partition { get; init; }

    /// <summary>Its place in the partition's audit, from 0 and without gaps.</summary>
    public required long Index { get; init; }

    /// <summary>
    /// The revision in the partition's feed that it tells of; it never falls from one entry to the next. 0 for what is not of the feed.
    /// </summary>
    public required long Revision { get; init; }

    /// <summary>The order that it is about; empty when it is about none.</summary>
    public required string OrderId { get; init; }

    /// <summary>The order's version after the change, from 1 and without gaps; 0 when it is about no change.</summary>
    public required long Version { get; init; }

    /// <summary>What happened, in a word: "placed".</summary>
    public required string Type { get; init; }

    /// <summary>When, in UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The commitment to the personal part; null when the entry has none.</summary>
    public MerkleHash? PersonalHash { get; init; }

    /// <summary>What else the kind has to say, in bytes that it defines; nothing personal.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The entry of an order's change.</summary>
    public static AuditEntry OfOrder(
        int partition,
        long index,
        long revision,
        string orderId,
        long version,
        string type,
        DateTimeOffset at,
        AuditedOrder order,
        MerkleHash? personalHash
    ) =>
        new()
        {
            Kind = AuditEntryKind.OrderChange,
            Partition = partition,
            Index = index,
            Revision = revision,
            OrderId = orderId,
            Version = version,
            Type = type,
            At = at,
            PersonalHash = personalHash,
            Payload = order.Encode(),
        };

    /// <summary>
    /// The leaf's data: a version byte (1), the kind's byte, then partition, index, revision, order id, version, type, time in ticks of
    /// UTC, personal hash if any, and payload, each as
    /// <see cref="CanonicalWriter"/> writes it. Equal entries give equal bytes on every machine and in every later version of the program.
    /// </summary>
    /// <exception cref="ArgumentException">A number is negative, a text or the payload too long, or a text is not Unicode.</exception>
    public byte[] Encode()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Partition);
        ArgumentOutOfRangeException.ThrowIfNegative(Index);
        ArgumentOutOfRangeException.ThrowIfNegative(Revision);
        ArgumentOutOfRangeException.ThrowIfNegative(Version);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Payload.Length, MaxPayloadBytes);
        return new CanonicalWriter()
            .Byte(FormatVersion)
            .Byte((byte)Kind)
            .Int32(Partition)
            .Int64(Index)
            .Int64(Revision)
            .Text(OrderId, "order id", MaxOrderIdBytes)
            .Int64(Version)
            .Text(Type, "type", MaxTypeBytes)
            .Int64(At.UtcTicks)
            .OptionalHash(PersonalHash)
            .Bytes(Payload.Span)
            .ToBytes();
    }

    /// <summary>Reads an entry. What it accepts, <see cref="Encode"/> gives again byte by byte.</summary>
    /// <exception cref="FormatException">No entry has these bytes.</exception>
    public static AuditEntry Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new CanonicalReader(bytes, "An audit entry");
        if (reader.Byte() is var format and not FormatVersion)
        {
            throw reader.Bad($"the format {format}; this program reads format {FormatVersion}");
        }

        var entry = new AuditEntry
        {
            Kind = (AuditEntryKind)reader.Byte(),
            Partition = reader.Int32(),
            Index = reader.Int64(),
            Revision = reader.Int64(),
            OrderId = reader.Text(MaxOrderIdBytes),
            Version = reader.Int64(),
            Type = reader.Text(MaxTypeBytes),
            At = reader.Time(),
            PersonalHash = reader.OptionalHash(),
            Payload = reader.Bytes(MaxPayloadBytes).ToArray(),
        };
        reader.End();
        return entry is { Partition: >= 0, Index: >= 0, Revision: >= 0, Version: >= 0 } ? entry : throw reader.Bad("a negative number");
    }

    /// <summary>The leaf's hash.</summary>
    public MerkleHash Leaf() => MerkleHash.Leaf(Encode());
}
