using Grains.Storage;
using Orleans.Storage;

namespace Silo.Storage;

/// <summary>
/// Gives a grain storage hashes for keys. Orleans' table storage turns <c>/ \ # ?</c> in a key into <c>_</c>, so two URLs would share a
/// row; two of these hashes (<see cref="StoreLimits.HashKey"/>, 256 bits) are the same for the same key only.
/// </summary>
/// <param name="storage">Is given the grain's type as it is, and 43 characters of <c>[0-9A-Za-z_-]</c> instead of its key.</param>
public sealed class HashedKeyGrainStorage(IGrainStorage storage) : IGrainStorage
{
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        storage.ReadStateAsync(stateName, Hashed(grainId), grainState);

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        storage.WriteStateAsync(stateName, Hashed(grainId), grainState);

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        storage.ClearStateAsync(stateName, Hashed(grainId), grainState);

    private static GrainId Hashed(GrainId grainId) => GrainId.Create(grainId.Type, StoreLimits.HashKey(grainId.Key.ToString()!));
}
