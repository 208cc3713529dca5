using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Grains.Logs.Shards;

namespace Grains.Logs.Reading;

/// <summary>
/// What this silo knows of the shards' manifests. It asks every shard anew each time for what changed, so that what was acknowledged before
/// is there; the shards are asked at once.
/// </summary>
public sealed class LogManifest : ISegmentSource, IDisposable
{
    private readonly ShardManifest[] _shards;

    public LogManifest(LogShardSet shards)
    {
        _shards = [.. shards.All.Select(shard => new ShardManifest(shard))];
    }

    public async Task<ImmutableArray<LogSegment>> Segments(CancellationToken cancel = default) =>
        [.. (await Task.WhenAll(_shards.Select(shard => shard.Segments(cancel)))).SelectMany(segments => segments)];

    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
    }
}

/// <summary>One shard's manifest as a reader knows it.</summary>
internal sealed class ShardManifest(ILogBatchGrain shard) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<string, LogSegment> _segments = new(StringComparer.Ordinal);
    private ManifestMark _known;

    public async Task<ImmutableArray<LogSegment>> Segments(CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            await Follow(cancel);
            return [.. _segments.Values];
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What is new, and the records that it holds; and how many records are gone that were known.</summary>
    public async Task<ManifestDelta> Follow(CancellationToken cancel)
    {
        var delta = await shard.Manifest(_known, cancel);
        if (delta.IsWhole)
        {
            _segments.Clear();
        }

        foreach (var name in delta.Removed)
        {
            _segments.Remove(name);
        }

        foreach (var segment in delta.Added)
        {
            _segments[segment.Name] = segment;
        }

        _known = delta.Now;
        return delta;
    }

    public void Dispose() => _turn.Dispose();
}
