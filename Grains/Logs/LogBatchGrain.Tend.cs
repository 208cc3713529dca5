using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Grains.Logs.Records;
using Grains.Logs.Segments;
using Grains.Storage;

namespace Grains.Logs;

/// <summary>
/// What a shard does when nobody waits: merge small segments, fold old counts, remove what was kept long enough, sweep what a crash left.
/// </summary>
public sealed partial class LogBatchGrain
{
    /// <summary>
    /// Objects that no row names are looked for so often. They come from a process that died between storing one and committing its row.
    /// </summary>
    private static readonly TimeSpan SweepEvery = TimeSpan.FromDays(1);

    /// <summary>So often a shard looks whether the files of its segments are there and have their size.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <summary>And when somebody asks how it stands, if it has not looked for so long.</summary>
    private static readonly TimeSpan LookWhenAsked = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Segments that cannot be read, by their number in the manifest: they are left alone, and do not keep others from being merged.
    /// </summary>
    private readonly SortedDictionary<long, SegmentFault> _unreadable = [];

    private Task _tending = Task.CompletedTask;
    private DateTimeOffset _swept;
    private DateTimeOffset _looked;

    /// <summary>Begins to do what is due, unless it is at it. Whoever wakes the shard does not wait for a merge.</summary>
    public Task Tend(CancellationToken cancel)
    {
        if (_tending.IsCompleted && _log.Writer.Lost is null)
        {
            _tending = TendAll();
        }

        return Task.CompletedTask;
    }

    private async Task TendAll()
    {
        try
        {
            var now = clock.GetUtcNow();
            while (await _log.Fold(options.Value.RepeatWindow, now, CancellationToken.None)) { }

            await _log.ForgetCounts(now, CancellationToken.None);
            if (RetentionClasses.TryParse(options.Value.Retention, out _) is { } classes)
            {
                while (_log.Expired(classes, now) is { Count: > 0 } expired)
                {
                    await _log.Drop(expired, guards.GetUtcNow());
                    LogExpired(Shard, expired.Count);
                }
            }

            await Look(now, LookEvery);
            while (MergePlan.Next(_log.Manifest.Segments.Where(entry => !_unreadable.ContainsKey(entry.Key)), now) is { Count: > 0 } due)
            {
                await Merge(due);
            }

            while (_log.NextDoomed(guards.GetUtcNow()) is { } doomed)
            {
                await Task.WhenAll(doomed.Row.Names.Select(name => blobs.Delete(name)));
                await _log.Removed(doomed.Number);
            }

            await Sweep(now);
        }
        catch (PartitionLostException lost)
        {
            LogLost(Shard, lost.Message);
            _filling.Fail(lost);
            DeactivateOnIdle();
        }
        catch (Exception e)
        {
            // The store or the disk: nothing of it is acknowledged to anybody, and the next round tries again.
            LogTendFailed(Shard, e);
        }
    }

    private async Task Merge(IReadOnlyList<long> due)
    {
        using var turn = await mergeSlot.Take();
        var entries = _log.Manifest.Segments.Where(entry => due.Contains(entry.Key)).ToList();
        var segments = entries.ConvertAll(entry => entry.Value);
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
                CannotRead(entry.Key, entry.Value.Name, SegmentFault.Damaged);
            }

            return;
        }

        var (number, row) = await Put(
            merged,
            segments[0].Class,
            segments[0].Arrived,
            isMerged: true,
            LogsTracing.MergePut,
            CancellationToken.None
        );
        using (LogsTracing.Source.StartActivity(LogsTracing.MergeCommit))
        {
            await _log.Replace(due, number, row, guards.GetUtcNow());
        }

        metrics.OnMerged(segments.Count);
        LogMerged(Shard, segments.Count, row.Records, row.Bytes);
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

            CannotRead(number, segment.Name, content is null ? SegmentFault.Missing(segment.Name).Reason : SegmentFault.Damaged);
        }
        catch (UnauthorizedAccessException)
        {
            CannotRead(number, segment.Name, SegmentFault.Forbidden);
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

    private void CannotRead(long number, string name, string reason)
    {
        unreadable.Add(name, reason);
        if (_unreadable.TryAdd(number, new(name, reason, MayPass: false)))
        {
            LogUnreadable(Shard, name, reason);
        }
    }

    /// <summary>
    /// Looks whether the segments' files are there, where the store has files: one that is lost shows in the health of the silo before
    /// anybody asks for it. A content that is damaged
    /// shows when it is read.
    /// </summary>
    private async Task Look(DateTimeOffset now, TimeSpan every)
    {
        foreach (var gone in _unreadable.Keys.Where(number => !_log.Manifest.Contains(number)).ToArray())
        {
            _unreadable.Remove(gone);
        }

        if (blobs is not ILocalBlobs local || now - _looked < every)
        {
            return;
        }

        _looked = now;
        var entries = _log.Manifest.Segments.ToList();
        var faults = await Task.Run(() => entries.ConvertAll(entry => SegmentCache.Fault(local, entry.Value, out _)));
        foreach (var ((number, segment), fault) in entries.Zip(faults).Where(entry => _log.Manifest.Contains(entry.First.Key)))
        {
            if (fault is { } found)
            {
                CannotRead(number, segment.Name, found.Reason);
            }
            else if (_unreadable.TryGetValue(number, out var known) && known.Reason != SegmentFault.Damaged)
            {
                _unreadable.Remove(number); // Put right. Whether a content is, shows only when it is read.
                unreadable.Remove([segment]);
            }
        }
    }

    /// <summary>
    /// Removes objects of earlier activations that no row names: a process died after it stored them and before it committed, so nobody was
    /// told of them.
    /// At first only the hours since the last commit are looked through, and everything once a day.
    /// </summary>
    private async Task Sweep(DateTimeOffset now)
    {
        if (_log.UnreadableRows.Count > 0 || (_swept != default && now - _swept < SweepEvery))
        {
            return;
        }

        var prefixes = new List<string> { SegmentName.Root };
        if (_swept == default)
        {
            prefixes.Clear();
            for (
                var hour = Rows.LogTable.HourOf(_log.Flushed == default ? now : _log.Flushed);
                hour <= now && prefixes.Count < 48;
                hour += TimeSpan.FromHours(1)
            )
            {
                prefixes.Add(SegmentName.HourPrefix(hour));
            }
        }

        _swept = now;
        var named = _log.Named(); // What is named from here on is this activation's, and not looked at.
        foreach (var prefix in prefixes)
        {
            await foreach (var blob in blobs.List(prefix))
            {
                if (
                    SegmentName.TryParse(blob.Name, out var name)
                    && name.Shard == Shard
                    && name.Epoch < _log.Epoch
                    && !named.Contains(blob.Name)
                )
                {
                    await blobs.Delete(blob.Name);
                    LogSwept(Shard, blob.Name);
                }
            }
        }
    }
}
