using Grains.Logs.Segments;
using Grains.Storage;

namespace Grains.Logs;

/// <summary>What a shard does when nobody waits: merge small segments, fold old counts, remove what was kept long enough, sweep what a crash left.</summary>
public sealed partial class LogBatchGrain
{
    private Task _tending = Task.CompletedTask;
    private DateTimeOffset _swept;

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
            while (await _log.Fold(options.Value.RepeatWindow, now, CancellationToken.None))
            {
            }

            await _log.ForgetCounts(now, CancellationToken.None);
            if (RetentionClasses.TryParse(options.Value.Retention, out _) is { } classes)
            {
                while (_log.Expired(classes, now) is { Count: > 0 } expired)
                {
                    await _log.Drop(expired, guards.GetUtcNow());
                    LogExpired(Shard, expired.Count);
                }
            }

            while (MergePlan.Next(_log.Manifest.Segments, now) is { Count: > 0 } due)
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
        using var turn = await mergeTurn.Take();
        var segments = _log.Manifest.Segments.Where(entry => due.Contains(entry.Key)).Select(entry => entry.Value).ToList();
        var contents = new List<ReadOnlyMemory<byte>>();
        foreach (var segment in segments)
        {
            contents.Add(await blobs.Get(segment.Name) ?? throw new IOException($"The segment «{segment.Name}» is in the manifest and not in the blob store."));
        }

        var merged = await Task.Run(() => SegmentMerge.Merge(contents, SegmentMerge.Level));
        var (number, row) = await Put(merged, segments[0].Class, segments[0].Arrived, isMerged: true, LogsTracing.MergePut, CancellationToken.None);
        using (LogsTracing.Source.StartActivity(LogsTracing.MergeCommit))
        {
            await _log.Replace(due, number, row, guards.GetUtcNow());
        }

        metrics.OnMerged(segments.Count);
        LogMerged(Shard, segments.Count, row.Records, row.Bytes);
    }

    /// <summary>
    /// Removes objects of earlier activations that no row names: a process died after it stored them and before it committed, so nobody was told of them.
    /// At first only the hours since the last commit are looked through, and everything once a day.
    /// </summary>
    private async Task Sweep(DateTimeOffset now)
    {
        if (_swept != default && now - _swept < LogLimits.SweepEvery)
        {
            return;
        }

        var prefixes = new List<string> { SegmentName.Root };
        if (_swept == default)
        {
            prefixes.Clear();
            for (var hour = Rows.LogTable.HourOf(_log.Flushed == default ? now : _log.Flushed); hour <= now && prefixes.Count < 48; hour += TimeSpan.FromHours(1))
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
                if (SegmentName.TryParse(blob.Name, out var name) && name.Shard == Shard && name.Epoch < _log.Epoch && !named.Contains(blob.Name))
                {
                    await blobs.Delete(blob.Name);
                    LogSwept(Shard, blob.Name);
                }
            }
        }
    }
}
