namespace Grains.Storage;

/// <summary>What the stores take up, for people: shown by <c>cluster status</c>.</summary>
public interface IStorageUsage
{
    /// <summary>Bytes by table or by first segment of blob names, largest first; empty when the backend cannot tell.</summary>
    ValueTask<IReadOnlyList<StorageShare>> Measure(CancellationToken cancel = default);
}

public readonly record struct StorageShare(string Name, long Bytes);
