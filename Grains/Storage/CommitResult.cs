namespace Grains.Storage;

public enum CommitOutcome
{
    /// <summary>Every change is durable.</summary>
    Committed,

    /// <summary>Nothing was changed: <see cref="CommitResult.ConflictKey"/> was not as its change expects.</summary>
    Conflict,

    /// <summary>
    /// All or nothing was changed, and which cannot be said: <see cref="CommitResult.Cause"/> tells why. Read before going on.
    /// </summary>
    Unknown,
}

/// <summary>What became of a commit.</summary>
/// <param name="Outcome">One of three.</param>
/// <param name="ETags">When committed: the new etag of each change in the order given; null for a delete. Else empty.</param>
/// <param name="ConflictKey">On a conflict: the key of a row that was not as expected.</param>
/// <param name="Cause">When unknown: what happened.</param>
public sealed record CommitResult(CommitOutcome Outcome, IReadOnlyList<string?> ETags, string? ConflictKey = null, Exception? Cause = null)
{
    public static CommitResult Committed(IReadOnlyList<string?> etags) => new(CommitOutcome.Committed, etags);

    public static CommitResult Conflict(string key) => new(CommitOutcome.Conflict, [], key);

    public static CommitResult Unknown(Exception cause) => new(CommitOutcome.Unknown, [], Cause: cause);
}
