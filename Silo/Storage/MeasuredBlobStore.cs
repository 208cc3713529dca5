using System.Diagnostics.CodeAnalysis;
using Grains.Storage;

namespace Silo.Storage;

/// <summary>Any blob store; what its writes come to is recorded in <see cref="WriteHealth"/>.</summary>
public class MeasuredBlobStore : IBlobStore
{
    private readonly IBlobStore _store;
    private readonly WriteHealth _writes;

    protected MeasuredBlobStore(IBlobStore store, WriteHealth writes) => (_store, _writes) = (store, writes);

    /// <summary>Of a store whose objects are files of this machine, it is one too.</summary>
    public static MeasuredBlobStore Of(IBlobStore store, WriteHealth writes) =>
        store is ILocalBlobs local ? new Local(store, local, writes) : new MeasuredBlobStore(store, writes);

    public Task<bool> Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancel = default) =>
        Recorded(_store.Put(name, content, cancel));

    public Task<ReadOnlyMemory<byte>?> Get(string name, long offset = 0, int? length = null, CancellationToken cancel = default) =>
        _store.Get(name, offset, length, cancel);

    public IAsyncEnumerable<BlobEntry> List(string prefix, CancellationToken cancel = default) => _store.List(prefix, cancel);

    public Task Delete(string name, CancellationToken cancel = default) => _store.Delete(name, cancel);

    private async Task<bool> Recorded(Task<bool> put)
    {
        try
        {
            var isNew = await put;
            _writes.OnWritten(WriteHealth.Blobs);
            return isNew;
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or ObjectDisposedException))
        {
            _writes.OnFailed(WriteHealth.Blobs, failure);
            throw;
        }
    }

    private sealed class Local(IBlobStore store, ILocalBlobs files, WriteHealth writes) : MeasuredBlobStore(store, writes), ILocalBlobs
    {
        public bool TryGetPath(string name, [NotNullWhen(true)] out string? path) => files.TryGetPath(name, out path);
    }
}
