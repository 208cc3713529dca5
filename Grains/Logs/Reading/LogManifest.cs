using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Grains.Logs.Shards;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grains.Logs.Reading;

/// <summary>
/// What this silo knows of the shards' manifests. It asks every shard anew each time for what changed, so that what was acknowledged before
/// is there; the shards are asked at once. One that does not answer hides no others.
/// </summary>
public sealed partial class LogManifest(
    LogShardSet shards,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    ILogger<LogManifest> logger
) : ISegmentSource, IDisposable
{
    /// <summary>For one shard's answer; less than a query may take.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(10);

    private readonly ShardManifest[] _shards = [.. shards.All.Select(shard => new ShardManifest(shard))];

    public async Task<KeptSegments> Segments(CancellationToken cancel = default)
    {
        var asked = Array.ConvertAll(_shards, shard => shard.Segments(cancel).WaitAsync(MaxWait, guards, cancel));
        await ((Task)Task.WhenAll(asked)).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
        );
        cancel.ThrowIfCancellationRequested();
        if (Array.TrueForAll(asked, shard => !shard.IsCompletedSuccessfully))
        {
            await asked[0]; // Throws: nothing is known of any of them, and that is no answer.
        }

        var all = ImmutableArray.CreateBuilder<LogSegment>();
        var faults = ImmutableArray.CreateBuilder<SegmentFault>();
        for (var shard = 0; shard < asked.Length; shard++)
        {
            if (asked[shard].IsCompletedSuccessfully)
            {
                all.AddRange(await asked[shard]);
            }
            else
            {
                all.AddRange(_shards[shard].Last);
                faults.Add(SegmentFault.Shard(shard));
                LogNoAnswer(shard, asked[shard].Exception);
            }
        }

        return new(all.DrainToImmutable(), faults.DrainToImmutable());
    }

    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shard {Shard} of the log does not answer; queries are answered without it")]
    private partial void LogNoAnswer(int shard, Exception? reason);
}

/// <summary>One shard's manifest as a reader knows it.</summary>
internal sealed class ShardManifest(ILogBatchGrain shard) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<string, LogSegment> _segments = new(StringComparer.Ordinal);
    private ManifestMark _known;
    private IReadOnlyList<LogSegment> _last = [];

    /// <summary>What was known when it last answered.</summary>
    public IReadOnlyList<LogSegment> Last => Volatile.Read(ref _last);

    public async Task<ImmutableArray<LogSegment>> Segments(CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            await Follow(cancel);
            ImmutableArray<LogSegment> segments = [.. _segments.Values];
            Volatile.Write(ref _last, segments);
            return segments;
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
