namespace Grains.Storage;

/// <summary>
/// Immutable objects by name (<see cref="StoreLimits.CheckBlobName"/>). What exists is decided by rows, not by listing:
/// an object that no row names is invisible, and swept later.
/// </summary>
public interface IBlobStore
{
    /// <summary>
    /// Stores an object if there is none of that name: whole or not at all, and durable when it answers. False when the name is taken; the
    /// object there is untouched.
    /// At most <see cref="StoreLimits.MaxBlobBytes"/>.
    /// </summary>
    Task<bool> Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancel = default);

    /// <summary>
    /// The object, or the part of it from <paramref name="offset"/> with at most <paramref name="length"/> bytes (all that follow when
    /// null);
    /// null when there is none of that name. A part beyond the end is empty.
    /// </summary>
    Task<ReadOnlyMemory<byte>?> Get(string name, long offset = 0, int? length = null, CancellationToken cancel = default);

    /// <summary>Names and sizes of the objects whose names start with <paramref name="prefix"/>, in order of their bytes.</summary>
    IAsyncEnumerable<BlobEntry> List(string prefix, CancellationToken cancel = default);

    /// <summary>Removes an object; absent is success.</summary>
    Task Delete(string name, CancellationToken cancel = default);
}

public readonly record struct BlobEntry(string Name, long Bytes);
