using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Grains.Logs.Batching;
using Grains.Logs.Reading;
using Grains.Logs.Rows;
using Grains.Logs.Segments;
using Grains.Logs.Upkeep;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;

namespace Grains.Logs;

/// <summary>
/// One shard of the log: gathers requests into a <see cref="Batch"/>, writes it as segments, commits the segments' rows, and then
/// acknowledges. While one batch is
/// written the next one fills.
/// </summary>
/// <remarks>
/// Reentrant, because callers gather: each waits for the batch that holds its request. It holds because everything between two awaits is
/// decided in memory at once,
/// and what is acknowledged was committed before; when a commit fails, the activation ends, and the next one starts from what is stored.
/// Over 150 lines, because a request may be late, repeated, too much or gathered, and a batch may be stored, failed or lost: each case is
/// decided here, where both batches are.
/// </remarks>
[Reentrant]
[GrainType("logbatch")]
public sealed partial class LogBatchGrain(
    ITableStore store,
    IBlobStore blobs,
    IOptions<LogsOptions> options,
    MergeSlot mergeSlot,
    UnreadableSegments unreadable,
    LogsMetrics metrics,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    ILogger<LogBatchGrain> logger
) : Grain, ILogBatchGrain
{
    private LogPartition _log = null!;
    private ShardSegments _segments = null!;
    private ShardFaults _faults = null!;
    private ShardUpkeep _upkeep = null!;
    private UnnamedRequests _unnamed = null!;
    private BatchPolicy _policy = null!;
    private Batch _filling = null!;
    private Batch? _written;
    private IGrainTimer _timer = null!;
    private Task _tending = Task.CompletedTask;

    private long Shard => this.GetPrimaryKeyLong();

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var settings = options.Value;
        _unnamed = new(settings.RepeatWindow);
        _policy = new(settings.Linger, settings.SegmentBytes, settings.SegmentRecords);
        _filling = new(clock.GetUtcNow());
        _timer = this.RegisterGrainTimer(
            Flush,
            new GrainTimerCreationOptions(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true }
        );
        _log = await LogPartition.Open(store, Shard, cancellationToken);
        _segments = new(Shard, _log, blobs, clock);
        _faults = new(Shard, _log, blobs, unreadable, logger);
        _upkeep = new(
            Shard,
            _log,
            _segments,
            _faults,
            blobs,
            mergeSlot,
            settings.RepeatWindow,
            RetentionClasses.TryParse(settings.Retention, out _),
            metrics.OnMerged,
            clock,
            guards,
            logger
        );
        if (_log.UnreadableRows.Count > 0)
        {
            LogUnreadableRows(Shard, _log.UnreadableRows.Count, _log.UnreadableRows.First());
        }

        LogOpened(Shard, _log.Epoch, _log.Manifest.Count, _log.Requests.Count);
    }

    /// <summary>Nobody is left waiting: what was gathered is written first, as long as there is time.</summary>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        while (_written is not null || !_filling.IsEmpty)
        {
            if (_log.Writer.Lost is { } lost)
            {
                _filling.Fail(lost);
                return;
            }

            await Write(cancellationToken);
        }
    }

    public async Task<WriteReply> Write(WriteLogs request, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        if (_log.Writer.Lost is { } lost)
        {
            throw lost;
        }

        if (guards.GetUtcNow() >= request.Deadline)
        {
            return WriteReply.Late;
        }

        var isRepeat = request.Id.IsOfBytes
            ? _unnamed.TryClaim(request.Id, guards.GetUtcNow(), out var first)
            : _log.Requests.Contains(request.Id, out first);
        if (isRepeat)
        {
            return await Repeated(request, first, now);
        }

        var bytes = request.Parts.Sum(part => (long)part.Block.Bytes.Length);
        if (_filling.Requests.Count == Batch.MaxRequests || (WaitingBytes > 0 && WaitingBytes + bytes > options.Value.BufferBytes))
        {
            metrics.OnFull();
            return WriteReply.Full;
        }

        var batch = Gather(now);
        batch.Add(request);
        if (request.Id.IsOfBytes)
        {
            _unnamed.Waits(request.Id, batch, request.Deadline);
        }
        else
        {
            _log.Requests.Waits(request.Id, batch);
        }

        WakeUp(now);
        return await batch.Done;
    }

    public Task AnswerLost(LogRequestId id, bool isStored)
    {
        _unnamed.AnswerLost(id, isStored, guards.GetUtcNow());
        return Task.CompletedTask;
    }

    public Task<ManifestDelta> Manifest(ManifestMark known, CancellationToken cancel) => Task.FromResult(_log.Manifest.Since(known));

    public async Task<LogShardState> Show(CancellationToken cancel)
    {
        await _faults.Look(clock.GetUtcNow(), ShardFaults.LookWhenAsked);
        return new(
            _log.Total,
            _filling.Received + (_written?.Received ?? 0),
            WaitingBytes,
            _log.Manifest.Count,
            _log.Manifest.Bytes,
            _log.Manifest.RawBytes,
            _log.Manifest.Records,
            _log.Manifest.Segments.Select(entry => (DateTimeOffset?)entry.Value.Arrived).Min()
        )
        {
            Unreadable = _faults.Count,
            UnreadableSegments = [.. _faults.Names],
        };
    }

    public Task<ImmutableArray<LogCount>> Counts(DateTimeOffset from, DateTimeOffset to, CancellationToken cancel) =>
        _log.Counts(from, to, cancel);

    /// <summary>Begins to do what is due, unless it is at it. Whoever wakes the shard does not wait for a merge.</summary>
    public Task Tend(CancellationToken cancel)
    {
        if (_tending.IsCompleted && _log.Writer.Lost is null)
        {
            _tending = Tend();
        }

        return Task.CompletedTask;
    }

    private async Task Tend()
    {
        try
        {
            await _upkeep.Run();
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

    private long WaitingBytes => _filling.Bytes + (_written?.Bytes ?? 0);

    /// <summary>
    /// The same request came before: it is durable, or it will be with the batch that it waits in. It is counted as received and repeated.
    /// </summary>
    private async Task<WriteReply> Repeated(WriteLogs request, Batch? first, DateTimeOffset now)
    {
        var reply = first is null ? WriteReply.Stored : await first.Done;
        if (reply != WriteReply.Stored || _log.Writer.Lost is not null)
        {
            return reply == WriteReply.Stored ? WriteReply.Repeated : reply;
        }

        Gather(now).Tally.Add(request.Counts.Select(Tally.AsRepeat));
        WakeUp(now);
        return WriteReply.Repeated;
    }

    private Batch Gather(DateTimeOffset now) => _filling.IsEmpty ? _filling = new(now) : _filling;

    /// <summary>Sets the timer for the batch that fills, unless one is being written: then that one's end looks after it.</summary>
    private void WakeUp(DateTimeOffset now)
    {
        if (_written is null && !_filling.IsEmpty)
        {
            var wait = _policy.Wait(_filling.Bytes, _filling.Records, _filling.Since, now);
            _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Writes what is due, and what became due meanwhile.</summary>
    private async Task Flush(CancellationToken cancel)
    {
        while (
            _written is null
            && !_filling.IsEmpty
            && _policy.Wait(_filling.Bytes, _filling.Records, _filling.Since, clock.GetUtcNow()) == TimeSpan.Zero
        )
        {
            await Write(cancel);
        }

        WakeUp(clock.GetUtcNow());
    }

    private async Task Write(CancellationToken cancel)
    {
        if (_written is { } other)
        {
            await ((Task)other.Done).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext
            );
            return;
        }

        var batch = _written = _filling;
        _filling = new(clock.GetUtcNow());
        var began = clock.GetTimestamp();
        try
        {
            var segments = await Put(batch, cancel);
            using (LogsTracing.Source.StartActivity(LogsTracing.Commit))
            {
                await _log.Commit(batch, segments, clock.GetUtcNow());
            }

            _log.Requests.Stored(batch);
            _unnamed.Stored(batch);
            _written = null;
            metrics.OnFlushed(batch, segments.Sum(entry => entry.Segment.Bytes), clock.GetElapsedTime(began));
            batch.Complete(WriteReply.Stored);
        }
        catch (PartitionLostException lost)
        {
            End(batch, lost);
        }
        catch (Exception e)
        {
            // The segment could not be stored. Nobody was told that it was: each sender may send again.
            LogPutFailed(Shard, batch.Records, e);
            metrics.OnPutFailed();
            _log.Requests.Failed(batch);
            _unnamed.Failed(batch);
            _written = null;
            batch.Complete(WriteReply.Unavailable);
        }
    }

    private async Task<IReadOnlyList<(long Number, LogSegment Segment)>> Put(Batch batch, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var segments = new List<(long Number, LogSegment Segment)>();
        foreach (var (retention, blocks) in batch.ByClass())
        {
            // Off the grain's turn: it goes on gathering.
            var written = await Task.Run(() => SegmentWriter.Write(blocks, SegmentWriter.QuickLevel), CancellationToken.None);
            segments.Add(await _segments.Put(written, retention, LogTable.HourOf(now), isMerged: false, LogsTracing.Put, cancel));
        }

        return segments;
    }

    private void End(Batch batch, PartitionLostException lost)
    {
        LogLost(Shard, lost.Message);
        _written = null;
        batch.Fail(lost);
        _filling.Fail(lost);
        DeactivateOnIdle();
    }
}
