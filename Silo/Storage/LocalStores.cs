using Grains.Storage;
using Silo.StartUp;

namespace Silo.Storage;

/// <summary>
/// The table store and the blob store of this silo together. As a check at start-up it opens both, so that what cannot be used is known
/// before the silo joins.
/// </summary>
public sealed class LocalStores(SqliteTableStore tables, DirectoryBlobStore blobs) : IStorageUsage, IStartUpCheck
{
    /// <summary>Bytes by name, those of tables and blobs of one name added up.</summary>
    public async ValueTask<IReadOnlyList<StorageShare>> Measure(CancellationToken cancel = default)
    {
        var shares = (await tables.Measure(cancel)).Concat(await blobs.Measure(cancel));
        return
        [
            .. shares
                .GroupBy(share => share.Name, share => share.Bytes)
                .Select(name => new StorageShare(name.Key, name.Sum()))
                .OrderByDescending(share => share.Bytes)
                .ThenBy(share => share.Name, StringComparer.Ordinal),
        ];
    }

    public Task Run(CancellationToken cancel) => Task.CompletedTask;
}
