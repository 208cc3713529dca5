using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Grains.Logs.Records;
using Grains.Logs.Rows;
using Grains.Logs.Segments;
using Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Grains.Logs.Upkeep;

/// <summary>
/// What a shard does when nobody waits: merge small segments, fold old counts, remove what was kept long enough, sweep what a crash left.
/// </summary>
/// <param name="window">For how long a request is recognised when it comes again.</param>
/// <param name="classes">How long records are kept; null when the setting cannot be read.</param>
/// <param name="onMerged">Told how many segments became one.</param>
internal sealed partial class ShardUpkeep(
    long shard,
    LogPartition log,
    ShardSegments segments,
    ShardFaults faults,
    IBlobStore blobs,
    MergeSlot slot,
    TimeSpan window,
    RetentionClasses? classes,
    Action<int> onMerged,
    TimeProvider clock,
    TimeProvider guards,
    ILogger logger
)
{
    /// <summary>
    /// Objects that no row names are looked for so often. They come from a process that died between storing one and committing its row.
    /// </summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromDays(1);

    private DateTimeOffset _swept;

    /// <summary>Does what is due.</summary>
    /// <exception cref="PartitionLostException">
    /// The shard belongs to another activation, or its last commit has no certain outcome.
    /// </exception>
    public async Task Run()
    {
        var now = clock.GetUtcNow();
        while (await log.Fold(window, now, CancellationToken.None)) { }

        await log.ForgetCounts(now, CancellationToken.None);
        while (classes is not null && log.Expired(classes, now) is { Count: > 0 } expired)
        {
            await log.Drop(expired, guards.GetUtcNow());
            LogExpired(shard, expired.Count);
        }

        await faults.Look(now, ShardFaults.LookEvery);
        while (MergePlan.Next(log.Manifest.Segments.Where(entry => !faults.Contains(entry.Key)), now) is { Count: > 0 } due)
        {
            await Merge(due);
        }

        while (log.NextDoomed(guards.GetUtcNow()) is { } doomed)
        {
            await Task.WhenAll(doomed.Row.Names.Select(name => blobs.Delete(name)));
            await log.Removed(doomed.Number);
        }

        await Sweep(now);
    }

    private async Task Merge(IReadOnlyList<long> due)
    {
        using var turn = await slot.Take();
        var entries = log.Manifest.Segments.Where(entry => due.Contains(entry.Key)).ToList();
        var contents = new List<ReadOnlyMemory<byte>>();
        foreach (var entry in entries)
        {
            if (await Content(entry.Key, entry.Value) is not { } content)
            {
                return; // Another merge is planned without it.
            }

            contents.Add(content);
        }

        WrittenSegment merged;
        try
        {
            merged = await Task.Run(() => SegmentMerge.Merge(contents, SegmentMerge.Level));
        }
        catch (InvalidDataException)
        {
            var damaged = await Task.Run(() => contents.ConvertAll(IsDamaged));
            if (!damaged.Contains(true))
            {
                throw;
            }

            foreach (var (entry, _) in entries.Zip(damaged).Where(entry => entry.Second))
            {
                faults.Add(entry.Key, entry.Value.Name, SegmentFault.Damaged);
            }

            return;
        }

        var (number, row) = await segments.Put(
            merged,
            entries[0].Value.Class,
            entries[0].Value.Arrived,
            isMerged: true,
            LogsTracing.MergePut,
            CancellationToken.None
        );
        using (LogsTracing.Source.StartActivity(LogsTracing.MergeCommit))
        {
            await log.Replace(due, number, row, guards.GetUtcNow());
        }

        onMerged(entries.Count);
        LogMerged(shard, entries.Count, row.Records, row.Bytes);
    }

    /// <summary>Null: it cannot be read, and from now on that is known.</summary>
    private async Task<ReadOnlyMemory<byte>?> Content(long number, LogSegment segment)
    {
        try
        {
            var content = await blobs.Get(segment.Name);
            if (content is { } whole && whole.Length == segment.Bytes)
            {
                return content;
            }

            faults.Add(number, segment.Name, content is null ? SegmentFault.Missing(segment.Name).Reason : SegmentFault.Damaged);
        }
        catch (UnauthorizedAccessException)
        {
            faults.Add(number, segment.Name, SegmentFault.Forbidden);
        }

        return null;
    }

    private static bool IsDamaged(ReadOnlyMemory<byte> content)
    {
        try
        {
            SegmentReader.ReadAll(content).ForEach(LogBlockBuilder.Return);
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    /// <summary>
    /// Removes objects of earlier activations that no row names: a process died after it stored them and before it committed, so nobody was
    /// told of them.
    /// At first only the hours since the last commit are looked through, and everything once a day.
    /// </summary>
    private async Task Sweep(DateTimeOffset now)
    {
        if (log.UnreadableRows.Count > 0 || (_swept != default && now - _swept < SweepEvery))
        {
            return;
        }

        var prefixes = new List<string> { SegmentName.Root };
        if (_swept == default)
        {
            prefixes.Clear();
            for (
                var hour = LogTable.HourOf(log.Flushed == default ? now : log.Flushed);
                hour <= now && prefixes.Count < 48;
                hour += TimeSpan.FromHours(1)
            )
            {
                prefixes.Add(SegmentName.HourPrefix(hour));
            }
        }

        _swept = now;
        var named = log.Named(); // What is named from here on is this activation's, and not looked at.
        foreach (var prefix in prefixes)
        {
            await foreach (var blob in blobs.List(prefix))
            {
                if (
                    SegmentName.TryParse(blob.Name, out var name)
                    && name.Shard == shard
                    && name.Epoch < log.Epoch
                    && !named.Contains(blob.Name)
                )
                {
                    await blobs.Delete(blob.Name);
                    LogSwept(shard, blob.Name);
                }
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Shard {Shard} merged {Segments} segments into one of {Records} records, {Bytes} bytes"
    )]
    private partial void LogMerged(long shard, int segments, int records, long bytes);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Shard {Shard} drops {Segments} segments that were kept for as long as their class says"
    )]
    private partial void LogExpired(long shard, int segments);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Shard {Shard} removes {Name}, which no row names: it was stored and never committed"
    )]
    private partial void LogSwept(long shard, string name);
}
