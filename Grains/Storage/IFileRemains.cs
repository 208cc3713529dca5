namespace Grains.Storage;

/// <summary>A store on files of this machine: what was deleted or overwritten stays in its logs until they are emptied.</summary>
public interface IFileRemains
{
    /// <summary>
    /// Empties a table's log into its file, in which deleted rows of personal data are overwritten. True when nothing that was deleted or
    /// overwritten before the call
    /// is on the disk any more; false when somebody who reads meanwhile kept it from that: ask again.
    /// </summary>
    Task<bool> Clean(string table, CancellationToken cancel = default);
}
