using System.Collections.Immutable;

namespace Grains.Orders.Audit;

/// <summary>That one partition's tree under an older head is the beginning of its tree under a newer one.</summary>
public sealed record PartitionConsistency(int Partition, ConsistencyProof Proof);

/// <summary>
/// What <c>orders audit consistency</c> prints: two signed heads, and for each partition of the older one the proof that nothing of it was
/// changed,
/// moved or removed since. With the public key it can be checked by anybody, offline and without the log.
/// </summary>
/// <param name="PublicKey">The key's PEM as whoever made the proof names it; null where the file has none. It proves nothing by
/// itself.</param>
public sealed record AuditConsistency(
    SignedAuditHead Older,
    SignedAuditHead Newer,
    ImmutableArray<PartitionConsistency> Partitions,
    string? PublicKey = null
)
{
    /// <summary>What is wrong with it, the first thing, in a sentence; null when both heads are signed and the proofs hold.</summary>
    public string? Check(IReadOnlyCollection<AuditPublicKey> keys)
    {
        if (AuditVerifier.CheckSignature(Older, keys) is { } older)
        {
            return older;
        }

        if (AuditVerifier.CheckSignature(Newer, keys) is { } newer)
        {
            return newer;
        }

        if (Newer.Head.At < Older.Head.At)
        {
            return $"The newer head, of {AuditVerifier.Time(Newer.Head)}, is before the older one, of {AuditVerifier.Time(Older.Head)}.";
        }

        foreach (var before in Older.Head.Roots)
        {
            if (Fault(before) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    /// <summary>Indented JSON.</summary>
    public string ToJson() => AuditJson.Write(ConsistencyForm.Of(this));

    /// <exception cref="FormatException">It is no proof of consistency.</exception>
    public static AuditConsistency FromJson(string json) =>
        AuditJson.Read(json, AuditJson.Indented.ConsistencyForm, "a proof of consistency").ToConsistency();

    private string? Fault(PartitionRoot before)
    {
        if (Newer.Head.Of(before.Partition) is not { } after || after.Size < before.Size)
        {
            return $"Partition {before.Partition} has {before.Size} entries under the older head and fewer under the newer one: "
                + "a log never shrinks.";
        }

        var proofs = Partitions.Where(partition => partition.Partition == before.Partition).ToList();
        if (proofs is not [var (_, proof)])
        {
            return $"Partition {before.Partition} has {proofs.Count} proofs; it needs one.";
        }

        return proof.First == before.Size && proof.Second == after.Size && proof.Verify(before.Root, after.Root)
            ? null
            : $"Partition {before.Partition}: the {before.Size} entries under the older head are not proven to be the first of the "
                + $"{after.Size} under the newer one.";
    }
}

/// <summary>See <see cref="AuditConsistency"/>.</summary>
internal sealed record ConsistencyForm
{
    public const string FormatName = "orders-audit-consistency/1";

    public required string Format { get; init; }

    public required HeadForm Older { get; init; }

    public required HeadForm Newer { get; init; }

    public required IReadOnlyList<PartitionConsistencyForm?> Partitions { get; init; }

    /// <inheritdoc cref="AuditConsistency.PublicKey"/>
    public string? PublicKey { get; init; }

    public static ConsistencyForm Of(AuditConsistency proof) =>
        new()
        {
            Format = FormatName,
            Older = HeadForm.Of(proof.Older),
            Newer = HeadForm.Of(proof.Newer),
            Partitions =
            [
                .. proof.Partitions.Select(partition => new PartitionConsistencyForm
                {
                    Partition = partition.Partition,
                    First = partition.Proof.First,
                    Second = partition.Proof.Second,
                    Path = [.. partition.Proof.Path.Select(hash => hash.ToString())],
                }),
            ],
            PublicKey = proof.PublicKey,
        };

    public AuditConsistency ToConsistency()
    {
        if (Format != FormatName)
        {
            throw new FormatException($"The format of a proof of consistency is \"{FormatName}\"; this one's is \"{Format}\".");
        }

        if (Partitions.Count > AuditHead.MaxPartitions)
        {
            throw new FormatException($"A proof is of at most {AuditHead.MaxPartitions} partitions; this is of {Partitions.Count}.");
        }

        return new(
            Older.ToHead(),
            Newer.ToHead(),
            [.. Partitions.Select(partition => partition?.ToProof() ?? throw new FormatException("A partition of the proof is null."))],
            PublicKey
        );
    }
}

internal sealed record PartitionConsistencyForm
{
    public required int Partition { get; init; }

    public required long First { get; init; }

    public required long Second { get; init; }

    public required IReadOnlyList<string> Path { get; init; }

    public PartitionConsistency ToProof() => new(Partition, new(First, Second, [.. Path.Select(MerkleHash.Parse)]));
}
