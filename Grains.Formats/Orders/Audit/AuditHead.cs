using System.Collections.Immutable;

namespace Grains.Orders.Audit;

/// <summary>Size and root of one partition's tree.</summary>
public readonly record struct PartitionRoot(int Partition, long Size, MerkleHash Root);

/// <summary>
/// What the whole audit was at a time: size and root of every partition. Signed (<see cref="AuditKey.Sign"/>) and kept elsewhere, it holds
/// whoever keeps the data to everything
/// that was recorded until then.
/// </summary>
/// <remarks>
/// What was appended after the last head that somebody else has can be cut off unseen: export heads as often as that matters.
/// </remarks>
public sealed class AuditHead
{
    /// <summary>Partitions in a head.</summary>
    public const int MaxPartitions = 4096;

    /// <summary>Starts what is signed, so that a signature means nothing anywhere else.</summary>
    private const string Context = "orders audit head 1";

    /// <param name="at">When the roots were read.</param>
    /// <param name="roots">In any order, each partition once; at most <see cref="MaxPartitions"/>.</param>
    public AuditHead(DateTimeOffset at, IEnumerable<PartitionRoot> roots)
    {
        At = at.ToUniversalTime();
        Roots = [.. roots.OrderBy(root => root.Partition)];
        if (Roots.Length > MaxPartitions)
        {
            throw new ArgumentException($"A head covers at most {MaxPartitions} partitions; this has {Roots.Length}.", nameof(roots));
        }

        for (var i = 0; i < Roots.Length; i++)
        {
            if (Roots[i].Partition < 0 || Roots[i].Size < 0 || (i > 0 && Roots[i].Partition == Roots[i - 1].Partition))
            {
                throw new ArgumentException(
                    $"A head has each partition once, and no negative number; partition {Roots[i].Partition} of {Roots[i].Size} "
                        + $"entries breaks that.",
                    nameof(roots)
                );
            }

            if (Roots[i].Size == 0 && Roots[i].Root != MerkleHash.Empty)
            {
                throw new ArgumentException(
                    $"Partition {Roots[i].Partition} has no entries but not the root of an empty tree.",
                    nameof(roots)
                );
            }
        }
    }

    public DateTimeOffset At { get; }

    /// <summary>By partition.</summary>
    public ImmutableArray<PartitionRoot> Roots { get; }

    /// <summary>The partition's size and root; null when the head does not cover it.</summary>
    public PartitionRoot? Of(int partition)
    {
        foreach (var root in Roots)
        {
            if (root.Partition == partition)
            {
                return root;
            }
        }

        return null;
    }

    /// <summary>
    /// The bytes that are signed: a context, the key's id, the time in ticks of UTC, and each partition's number, size and root.
    /// </summary>
    internal byte[] Encode(string keyId)
    {
        var writer = new CanonicalWriter()
            .Text(Context, "context", 100)
            .Text(AuditKey.Algorithm, "algorithm", 100)
            .Text(keyId, "key id", 100)
            .Int64(At.UtcTicks)
            .Int32(Roots.Length);
        foreach (var root in Roots)
        {
            writer.Int32(root.Partition).Int64(root.Size).Hash(root.Root);
        }

        return writer.ToBytes();
    }
}

/// <summary>A head and who signed it. Whether the signature is good, <see cref="AuditPublicKey.Verify"/> says.</summary>
/// <param name="KeyId">See <see cref="AuditPublicKey.Id"/>.</param>
/// <param name="Algorithm">See <see cref="AuditKey.Algorithm"/>.</param>
public sealed record SignedAuditHead(AuditHead Head, string KeyId, string Algorithm, ReadOnlyMemory<byte> Signature)
{
    /// <summary>The head file's text: indented JSON, hashes in hexadecimal, the signature in base64.</summary>
    public string ToJson() => AuditJson.Write(HeadForm.Of(this));

    /// <summary>Reads a head file.</summary>
    /// <exception cref="FormatException">It is not one.</exception>
    public static SignedAuditHead FromJson(string json) =>
        AuditJson.Read(json, AuditJson.Indented.HeadForm, "a head of the audit").ToHead();
}
