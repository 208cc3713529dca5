namespace Grains.Interfaces.Cluster;

/// <summary>Takes backups of the cluster's data while its silos work. The key is always 0.</summary>
[Alias("cluster.IBackupGrain")]
public interface IBackupGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Writes a backup into a folder of the silo's machine, and reports how far it is. The last report has
    /// <see cref="BackupReport.Outcome"/>.
    /// A caller that stops reading cancels the backup, and what was written of it is removed.
    /// </summary>
    /// <param name="folder">Absolute, as the silo's machine names it. It does not exist, or is empty.</param>
    [Alias("Take")]
    IAsyncEnumerable<BackupReport> Take(string folder, CancellationToken cancel = default);
}

/// <summary>How far a backup is.</summary>
/// <param name="Files">Files copied so far.</param>
/// <param name="Bytes">Bytes copied so far.</param>
[GenerateSerializer, Immutable, Alias("cluster.BackupReport")]
public sealed record BackupReport([property: Id(0)] long Files, [property: Id(1)] long Bytes)
{
    /// <summary>Set in the last report only.</summary>
    [Id(2)]
    public BackupOutcome? Outcome { get; init; }
}

/// <summary>How a backup ended.</summary>
/// <param name="Id">Names the backup in its manifest; null when none was made.</param>
/// <param name="At">The moment of all rows in it; null when none was made.</param>
/// <param name="Host">The machine whose folder it is in.</param>
/// <param name="Problem">Why none was made, in a sentence; null when it is complete.</param>
[GenerateSerializer, Immutable, Alias("cluster.BackupOutcome")]
public sealed record BackupOutcome(
    [property: Id(0)] string? Id,
    [property: Id(1)] DateTimeOffset? At,
    [property: Id(2)] string Host,
    [property: Id(3)] string? Problem
);
