using System.Collections.Immutable;

namespace Grains.Orders.Audit;

/// <summary>What can be wrong with an audit.</summary>
public enum AuditFault
{
    /// <summary>A head is not signed by a key that was given.</summary>
    Signature,

    /// <summary>An entry, or one of a range, is not what was recorded.</summary>
    Changed,

    /// <summary>An entry is not there though later ones are.</summary>
    Missing,

    /// <summary>An entry stands in another's place.</summary>
    Reordered,

    /// <summary>The last entries are not there.</summary>
    Truncated,

    /// <summary>There are entries after the last one that was recorded.</summary>
    Added,

    /// <summary>An order's versions, or the revisions, are not in sequence: recorded so, and proven.</summary>
    Sequence,

    /// <summary>The personal part beside an entry is not the one it was recorded with.</summary>
    PersonalChanged,

    /// <summary>The history under a head is not the one that is stored, or not the one under another head.</summary>
    OtherHistory,

    /// <summary>A tile was changed or is missing; the entries are as recorded. Proofs that need it fail.</summary>
    TileDamaged,
}

/// <summary>One thing that is wrong, and where.</summary>
/// <param name="Partition">Null when it concerns a whole head.</param>
/// <param name="Index">The entry, or the first of a range that holds it.</param>
/// <param name="OrderId">Of the entry as it reads now; null when it is not there or not readable.</param>
/// <param name="Version">Likewise.</param>
/// <param name="What">A sentence, which names all this too.</param>
public sealed record AuditFinding(AuditFault Fault, int? Partition, long? Index, string? OrderId, long? Version, string What);

/// <summary>What a verification found.</summary>
/// <param name="Findings">By partition; in each, the first entry that is wrong, the first that was recorded out of sequence or has another
/// personal part, and the first tile. Empty: it holds.</param>
/// <param name="Partitions">Partitions that were read.</param>
/// <param name="Entries">Entries that were read.</param>
/// <param name="Covered">Entries of these that lead to a signed root.</param>
/// <param name="Erased">Entries whose personal part is gone.</param>
/// <param name="VersionsNotChecked">Entries whose order had been forgotten, because more orders are under way than are kept in
/// memory.</param>
public sealed record AuditReport(
    ImmutableArray<AuditFinding> Findings,
    int Partitions,
    long Entries,
    long Covered,
    long Erased,
    long VersionsNotChecked
)
{
    public bool Holds => Findings.IsEmpty;
}
