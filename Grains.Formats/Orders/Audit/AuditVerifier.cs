namespace Grains.Orders.Audit;

/// <summary>
/// Finds out whether what is stored is what was recorded, and if not, which entry is the first that is wrong.
/// </summary>
/// <remarks>
/// <para>Every entry is hashed again and every head's root built from the entries alone; the tiles serve to say where it went wrong. A tile
/// is believed over an entry only when it leads
/// to a root. Where somebody changed an entry and every tile above it too, no single entry can be named: the finding is the range between
/// two heads, so the more heads are
/// given, the narrower it is.</para>
/// <para>What no head covers is checked against the cursor's own row, which whoever can write rows can write too.</para>
/// <para>Memory: 256 entries' hashes and ids, <see cref="MaxTilesInMemory"/> tiles, and the versions of at most
/// <paramref name="maxOrders"/> orders; it does not grow with the log.</para>
/// </remarks>
/// <param name="keys">The public keys that heads may be signed with.</param>
/// <param name="maxOrders">Orders whose last version is kept in memory to see that none is left out, about 80 bytes each. The oldest is
/// forgotten for a further one, and
/// <see cref="AuditReport.VersionsNotChecked"/> counts what could not be checked for that.</param>
public sealed class AuditVerifier(IAuditSource source, IReadOnlyCollection<AuditPublicKey> keys, int maxOrders = 250_000)
{
    internal const int MaxTilesInMemory = 64;

    /// <summary>Reads everything and checks it against these heads: the present one, and older ones (<c>--against</c>).</summary>
    /// <param name="heads">In any order. Without any, only the cursors' own rows stand for the roots.</param>
    public async Task<AuditReport> Verify(IReadOnlyCollection<SignedAuditHead> heads, CancellationToken cancel = default)
    {
        var findings = new List<AuditFinding>();
        var good = Trusted(heads, findings);
        CheckSizes(good, findings);

        var stored = await source.Partitions(cancel);
        var partitions = stored.Concat(good.SelectMany(head => head.Roots.Select(root => root.Partition))).Distinct().Order().ToList();
        var (entries, covered, erased, forgotten) = (0L, 0L, 0L, 0L);
        foreach (var partition in partitions)
        {
            var check = new PartitionCheck(partition, source, maxOrders);
            await check.Run(good, cancel);
            findings.AddRange(check.Findings);
            entries += check.Entries;
            covered += check.Covered;
            erased += check.Erased;
            forgotten += check.VersionsNotChecked;
        }

        return new([.. findings], partitions.Count, entries, covered, erased, forgotten);
    }

    /// <summary>
    /// Checks by the tiles alone that an older head's history is the beginning of a newer one's: a few rows for each partition. That the
    /// entries are those under the newer head
    /// is not looked at: <see cref="Verify"/> does.
    /// </summary>
    public async Task<AuditReport> VerifyHeads(SignedAuditHead older, SignedAuditHead newer, CancellationToken cancel = default)
    {
        var findings = new List<AuditFinding>();
        var good = Trusted([older, newer], findings);
        if (good.Count < 2)
        {
            return new([.. findings], 0, 0, 0, 0, 0);
        }

        CheckSizes([older.Head, newer.Head], findings);
        var partitions = 0;
        foreach (var first in older.Head.Roots)
        {
            if (newer.Head.Of(first.Partition) is not { } second || second.Size < first.Size)
            {
                continue; // CheckSizes has said so.
            }

            partitions++;
            try
            {
                var proof = await new TileReader(source.Tiles(first.Partition)).Consistency(first.Size, second.Size, cancel);
                if (!proof.Verify(first.Root, second.Root))
                {
                    findings.Add(
                        new(
                            AuditFault.OtherHistory,
                            first.Partition,
                            null,
                            null,
                            null,
                            $"Partition {first.Partition}: the tiles do not show that the {first.Size} entries under the head "
                                + $"of {Time(older.Head)} are the first of the {second.Size} under the head of "
                                + $"{Time(newer.Head)}. The history or a tile was changed; a verification of all entries tells which."
                        )
                    );
                }
            }
            catch (InvalidDataException e)
            {
                findings.Add(
                    new(
                        AuditFault.TileDamaged,
                        first.Partition,
                        null,
                        null,
                        null,
                        $"Partition {first.Partition}: that one head continues the other cannot be shown. {e.Message}"
                    )
                );
            }
        }

        return new([.. findings], partitions, 0, 0, 0, 0);
    }

    /// <summary>What is wrong with a head's signature, in a sentence; null when it is good.</summary>
    internal static string? CheckSignature(SignedAuditHead head, IReadOnlyCollection<AuditPublicKey> keys)
    {
        if (head.Algorithm != AuditKey.Algorithm)
        {
            return $"The head of {Time(head.Head)} is signed by \"{head.Algorithm}\"; this program checks \"{AuditKey.Algorithm}\".";
        }

        if (keys.FirstOrDefault(key => key.Id == head.KeyId) is not { } signer)
        {
            return $"The head of {Time(head.Head)} says that it is signed with the key {head.KeyId}; given were: "
                + $"{string.Join(", ", keys.Select(key => key.Id))}.";
        }

        return signer.Verify(head)
            ? null
            : $"The head of {Time(head.Head)} was changed: its signature is not that of the key {head.KeyId} over what it says.";
    }

    internal static string Time(AuditHead head) =>
        head.At.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", System.Globalization.CultureInfo.InvariantCulture);

    private List<AuditHead> Trusted(IReadOnlyCollection<SignedAuditHead> heads, List<AuditFinding> findings)
    {
        var good = new List<AuditHead>();
        foreach (var head in heads)
        {
            if (CheckSignature(head, keys) is { } wrong)
            {
                findings.Add(new(AuditFault.Signature, null, null, null, null, wrong));
            }
            else
            {
                good.Add(head.Head);
            }
        }

        return good;
    }

    /// <summary>A log only grows: no later head has fewer entries in a partition than an earlier one.</summary>
    private static void CheckSizes(IReadOnlyCollection<AuditHead> heads, List<AuditFinding> findings)
    {
        AuditHead? before = null;
        foreach (var head in heads.OrderBy(head => head.At))
        {
            foreach (var earlier in before?.Roots ?? [])
            {
                var size = head.Of(earlier.Partition)?.Size;
                if (size is null || size < earlier.Size)
                {
                    findings.Add(
                        new(
                            AuditFault.OtherHistory,
                            earlier.Partition,
                            size ?? 0,
                            null,
                            null,
                            $"Partition {earlier.Partition} had {earlier.Size} entries under the head of {Time(before!)}, and "
                                + $"has {(size is null ? "no place" : $"{size}")} under the later one of {Time(head)}: a log never shrinks."
                        )
                    );
                }
            }

            before = head;
        }
    }
}
