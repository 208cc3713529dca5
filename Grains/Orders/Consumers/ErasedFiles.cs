using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>
/// Has the files of the store cleaned after an erasure: a deleted row's text stays in free pages until then. That it is to be done is a
/// row, written before the
/// first row is erased, so that a crash does not leave the text.
/// </summary>
/// <param name="files">Null: the store has no files of its own.</param>
/// <param name="table">Where the row is.</param>
/// <param name="tables">Those whose files are cleaned.</param>
internal sealed class ErasedFiles(ITableStore store, IFileRemains? files, string table, IReadOnlyList<string> tables)
{
    private const string Partition = "erasures";

    private const string FilesKey = "files";

    /// <summary>Files are to be cleaned. Durable when it answers.</summary>
    /// <exception cref="PartitionLostException">The store gave no certain answer.</exception>
    public async Task Remember(CancellationToken cancel)
    {
        if (
            files is not null
            && await store.Commit(table, Partition, [RowChange.Put(FilesKey, ReadOnlyMemory<byte>.Empty)], cancel)
                is { Outcome: not CommitOutcome.Committed } failed
        )
        {
            throw new PartitionLostException(table, Partition, failed);
        }
    }

    /// <summary>
    /// Cleans the files if an erasure asked for it. True: they are clean; false: somebody reads them; null: the store has none.
    /// </summary>
    public async Task<bool?> Clean(CancellationToken cancel)
    {
        if (files is null || await store.Get(table, Partition, FilesKey, cancel) is not { } asked)
        {
            return files is null ? null : true;
        }

        var cleaned = true;
        foreach (var one in tables)
        {
            cleaned &= await files.Clean(one, cancel);
        }

        // An erasure that began meanwhile has written the row again, and has it cleaned itself.
        return cleaned
            && await store.Commit(table, Partition, [RowChange.Delete(FilesKey, asked.ETag)], cancel)
                is { Outcome: CommitOutcome.Committed };
    }
}
