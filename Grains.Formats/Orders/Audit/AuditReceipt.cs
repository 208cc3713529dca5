using System.Collections.Immutable;

namespace Grains.Orders.Audit;

/// <summary>An entry with the proof that it is in its partition's tree, and its personal part where that is known.</summary>
/// <param name="Entry">The leaf's data.</param>
public sealed record ProvenEntry(ReadOnlyMemory<byte> Entry, InclusionProof Proof, SaltedPersonal? Personal = null);

/// <summary>
/// What <c>orders audit proof</c> prints: entries, their inclusion proofs and the signed head that they lead to. With the public key it can
/// be checked by anybody, offline and
/// without the log.
/// </summary>
/// <param name="PublicKey">The key's PEM as whoever made the proof names it; null where the file has none. It proves nothing by
/// itself.</param>
public sealed record AuditReceipt(SignedAuditHead Head, ImmutableArray<ProvenEntry> Entries, string? PublicKey = null)
{
    /// <summary>Entries in one receipt.</summary>
    public const int MaxEntries = 10_000;

    /// <summary>What is wrong with it, the first thing, in a sentence; null when every entry is proven and signed for.</summary>
    public string? Check(IReadOnlyCollection<AuditPublicKey> keys)
    {
        if (AuditVerifier.CheckSignature(Head, keys) is { } wrong)
        {
            return wrong;
        }

        foreach (var proven in Entries)
        {
            AuditEntry entry;
            try
            {
                entry = AuditEntry.Decode(proven.Entry.Span);
            }
            catch (FormatException e)
            {
                return e.Message;
            }

            var named = $"Entry {entry.Index} of partition {entry.Partition} (order {entry.OrderId}, version {entry.Version})";
            if (Head.Head.Of(entry.Partition) is not { } root)
            {
                return $"{named} is of a partition that the head does not cover.";
            }

            if (proven.Proof.Index != entry.Index || proven.Proof.Size != root.Size)
            {
                return $"{named} has a proof for entry {proven.Proof.Index} in a tree of {proven.Proof.Size}; the head has "
                    + $"{root.Size} entries there.";
            }

            if (!proven.Proof.Verify(MerkleHash.Leaf(proven.Entry.Span), root.Root))
            {
                return $"{named} is not proven: entry and path do not lead to the signed root.";
            }

            if (proven.Personal is { } personal && personal.Commitment() != entry.PersonalHash)
            {
                return $"{named} is proven, but the personal part beside it is not the one that was recorded.";
            }
        }

        return null;
    }

    /// <summary>Indented JSON.</summary>
    public string ToJson() => AuditJson.Write(ReceiptForm.Of(this));

    /// <exception cref="FormatException">It is not a receipt.</exception>
    public static AuditReceipt FromJson(string json) =>
        AuditJson.Read(json, AuditJson.Indented.ReceiptForm, "a proof of the audit").ToReceipt();
}
