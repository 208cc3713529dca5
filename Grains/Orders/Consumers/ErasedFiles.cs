using System.Buffers.Binary;
using Grains.Storage;

namespace Grains.Orders.Consumers;

/// <summary>
/// Has the files of the store cleaned after an erasure: a deleted row's text stays in free pages until then. Each erasure has a row from
/// before its first deletion until the files were cleaned after its last one, so that a crash does not leave the text.
/// </summary>
/// <param name="files">Null: the store has no files of its own.</param>
/// <param name="table">Where the rows are.</param>
/// <param name="tables">Those whose files are cleaned.</param>
/// <param name="clock">For the age of an erasure that is not over.</param>
internal sealed class ErasedFiles(ITableStore store, IFileRemains? files, string table, IReadOnlyList<string> tables, TimeProvider clock)
{
    private const string Partition = "erasures";

    /// <summary>
    /// After that an erasure that has not said that it is over was broken off. Whoever asked for it was told of the failure, and the next
    /// one has a row of its own.
    /// </summary>
    private static readonly TimeSpan BrokenOffAfter = TimeSpan.FromHours(1);

    private const int MostAtOnce = 100;

    /// <summary>An erasure begins: files are to be cleaned, whatever becomes of it. Durable when it answers.</summary>
    /// <returns>For <see cref="End"/>; null when the store has no files.</returns>
    /// <exception cref="PartitionLostException">The store gave no certain answer.</exception>
    public async Task<string?> Begin(CancellationToken cancel)
    {
        if (files is null)
        {
            return null;
        }

        var erasure = Guid.CreateVersion7(clock.GetUtcNow()).ToString("N");
        var begun = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(begun, clock.GetUtcNow().Ticks);
        await Commit(RowChange.Put(erasure, begun), cancel);
        return erasure;
    }

    /// <summary>The erasure is over. True: the files are clean; false: somebody reads them, and <see cref="Clean"/> asks again.</summary>
    /// <exception cref="PartitionLostException">The store gave no certain answer.</exception>
    public async Task<bool?> End(string? erasure, CancellationToken cancel)
    {
        if (files is null || erasure is null)
        {
            return null;
        }

        // Whatever has been cleaned before was cleaned too early: only what is cleaned from here on counts.
        var cleaned = await CleanAll(files, cancel);
        await Commit(cleaned ? RowChange.Delete(erasure) : RowChange.Put(erasure, ReadOnlyMemory<byte>.Empty), cancel);
        return cleaned;
    }

    /// <summary>
    /// Cleans the files if an erasure is or was under way. True: there is nothing that waits; false: somebody reads them; null: the store
    /// has none. The row of an erasure that is not over stays.
    /// </summary>
    public async Task<bool?> Clean(CancellationToken cancel)
    {
        if (files is null)
        {
            return null;
        }

        var asked = await store.Scan(table, Partition, KeyRange.All, MostAtOnce, cancel);
        if (asked.Count == 0)
        {
            return true;
        }

        if (!await CleanAll(files, cancel))
        {
            return false;
        }

        var over = asked.Where(IsOver).ToList();
        return over.Count == 0
            || await store.Commit(table, Partition, [.. over.Select(row => RowChange.Delete(row.Key, row.ETag))], cancel)
                is { Outcome: CommitOutcome.Committed };
    }

    private bool IsOver(TableRow row) =>
        row.Payload.Length < sizeof(long)
        || clock.GetUtcNow().Ticks - BinaryPrimitives.ReadInt64BigEndian(row.Payload.Span) > BrokenOffAfter.Ticks;

    private async Task<bool> CleanAll(IFileRemains remains, CancellationToken cancel)
    {
        var cleaned = true;
        foreach (var one in tables)
        {
            cleaned &= await remains.Clean(one, cancel);
        }

        return cleaned;
    }

    private async Task Commit(RowChange change, CancellationToken cancel)
    {
        if (await store.Commit(table, Partition, [change], cancel) is { Outcome: not CommitOutcome.Committed } failed)
        {
            throw new PartitionLostException(table, Partition, failed);
        }
    }
}
