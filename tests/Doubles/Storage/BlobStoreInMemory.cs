using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Grains.Storage;

namespace Doubles.Storage;

/// <summary>Blobs in memory: keeps every promise of <see cref="IBlobStore"/> except that they last.</summary>
public sealed class BlobStoreInMemory : IBlobStore
{
    private readonly ConcurrentDictionary<string, byte[]> _blobs = new(StringComparer.Ordinal);

    public Task<bool> Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        if (content.Length > StoreLimits.MaxBlobBytes)
        {
            throw new ArgumentException(
                $"A blob has at most {StoreLimits.MaxBlobBytes} bytes; \"{name}\" has {content.Length}.",
                nameof(content)
            );
        }

        return cancel.IsCancellationRequested ? Task.FromCanceled<bool>(cancel) : Task.FromResult(_blobs.TryAdd(name, content.ToArray()));
    }

    public Task<ReadOnlyMemory<byte>?> Get(string name, long offset = 0, int? length = null, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length ?? 0, nameof(length));
        cancel.ThrowIfCancellationRequested();
        if (!_blobs.TryGetValue(name, out var content))
        {
            return Task.FromResult<ReadOnlyMemory<byte>?>(null);
        }

        var from = (int)Math.Min(offset, content.Length);
        return Task.FromResult<ReadOnlyMemory<byte>?>(content.AsMemory(from, Math.Min(length ?? int.MaxValue, content.Length - from)));
    }

    public async IAsyncEnumerable<BlobEntry> List(string prefix, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask;
        foreach (
            var (name, content) in _blobs
                .Where(blob => blob.Key.StartsWith(prefix, StringComparison.Ordinal))
                .OrderBy(blob => blob.Key, StringComparer.Ordinal)
        )
        {
            cancel.ThrowIfCancellationRequested();
            yield return new(name, content.Length);
        }
    }

    public Task Delete(string name, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        cancel.ThrowIfCancellationRequested();
        _blobs.TryRemove(name, out _);
        return Task.CompletedTask;
    }
}
