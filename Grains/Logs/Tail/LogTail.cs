using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Grains.Logs.Queries;
using Grains.Logs.Reading;
using Grains.Logs.Records;
using Grains.Logs.Segments;
using Grains.Logs.Shards;
using Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Grains.Logs.Tail;

/// <summary>
/// The silo's reader of what is newly stored, while somebody watches: one for all viewers. It follows the shards' manifests and reads each
/// new segment once;
/// what was merged was there before.
/// </summary>
public sealed partial class LogTail(
    LogShardSet shards,
    IBlobStore blobs,
    UnreadableSegments unreadable,
    TimeProvider clock,
    ILogger<LogTail> logger
)
{
    /// <summary>Between two looks at the shards.</summary>
    public static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>Who may watch at one silo.</summary>
    public const int MaxViewers = 256;

    /// <summary>Bytes of records, before compression, that are read after one look; what is beyond is missed, and said so.</summary>
    private const long MaxRawBytes = 64L * 1024 * 1024;

    /// <summary>After a failure: storage or a shard that does not answer.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private ImmutableArray<TailViewer> _viewers = [];
    private TaskCompletionSource? _started;

    /// <summary>From now on the viewer is offered what is stored; null when too many watch.</summary>
    public async Task<TailViewer?> Watch(LogQuery query, CancellationToken cancel)
    {
        var viewer = new TailViewer(query);
        TaskCompletionSource started;
        lock (_lock)
        {
            if (_viewers.Length >= MaxViewers)
            {
                return null;
            }

            _viewers = _viewers.Add(viewer);
            if (_started is null)
            {
                _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
                var first = _started;
                logger.Observe(Task.Run(() => Follow(first), CancellationToken.None), "the live tail");
            }

            started = _started;
        }

        try
        {
            // What is stored after this answers is shown; so the shards' manifests are known first.
            await started.Task.WaitAsync(cancel);
            return viewer;
        }
        catch
        {
            Leave(viewer);
            throw;
        }
    }

    public void Leave(TailViewer viewer)
    {
        lock (_lock)
        {
            _viewers = _viewers.Remove(viewer);
        }

        viewer.Dispose();
    }

    private async Task Follow(TaskCompletionSource started)
    {
        using var followed = new TailShards(shards, clock.GetUtcNow());
        while (!IsOver())
        {
            try
            {
                var news = await followed.Look();
                await Show(news);
                started.TrySetResult();
                if (news.Failure is { } failure)
                {
                    LogCannotFollow(failure);
                }

                await Task.Delay(news.Failure is null ? Look : Pause, clock);
            }
            catch (Exception reason)
            {
                // Whatever a shard or its store has: it is asked again for as long as somebody watches, and whoever waits for the first
                // answer goes on waiting.
                LogCannotFollow(reason);
                await Task.Delay(Pause, clock);
            }
        }
    }

    /// <summary>Nobody watches any more; whoever comes next begins anew.</summary>
    private bool IsOver()
    {
        lock (_lock)
        {
            if (_viewers.IsEmpty)
            {
                _started = null;
            }

            return _viewers.IsEmpty;
        }
    }

    private async Task Show(TailNews news)
    {
        var missed = news.Missed;
        var bytes = 0L;
        var blocks = new List<LogBlock>();
        var unread = new List<string>();
        foreach (var segment in news.Segments)
        {
            bytes += segment.RawBytes;
            if (bytes > MaxRawBytes)
            {
                missed += segment.Records;
            }
            else if (await Read(segment) is { } read)
            {
                blocks.AddRange(read);
            }
            else
            {
                missed += segment.Records;
                unread.Add(segment.Name);
            }
        }

        var places = new List<(ulong Time, LogBlock Block, int Record)>();
        foreach (var block in blocks)
        {
            for (var record = 0; record < block.Count; record++)
            {
                places.Add((block.Times[record], block, record));
            }
        }

        var viewers = _viewers;
        foreach (var (_, block, record) in places.OrderBy(place => place.Time))
        {
            foreach (var viewer in viewers)
            {
                viewer.Offer(block[record]);
            }
        }

        foreach (var viewer in viewers)
        {
            if (missed > 0)
            {
                viewer.Miss(missed, unread);
            }
        }

        blocks.ForEach(LogBlockBuilder.Return);
    }

    /// <summary>
    /// Null when it is gone or cannot be read: nobody holds up the others for it, and the viewers are told which it is, and how many
    /// records they miss.
    /// </summary>
    private async Task<IReadOnlyList<LogBlock>?> Read(LogSegment segment)
    {
        try
        {
            if (await blobs.Get(segment.Name) is { } content)
            {
                return SegmentReader.ReadAll(content);
            }

            // It is new: merging leaves it alone for seconds, and its object for minutes more.
            unreadable.Add(segment.Name, SegmentFault.Missing(segment.Name).Reason);
            return null;
        }
        catch (Exception reason)
        {
            if (reason is InvalidDataException or UnauthorizedAccessException)
            {
                unreadable.Add(segment.Name, reason is InvalidDataException ? SegmentFault.Damaged : SegmentFault.Forbidden);
            }

            LogCannotRead(segment.Name, segment.Records, reason);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The live tail cannot follow what is stored; it tries again")]
    private partial void LogCannotFollow(Exception reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The live tail cannot read \"{Segment}\"; whoever watches misses its {Records} records"
    )]
    private partial void LogCannotRead(string segment, int records, Exception reason);
}

/// <param name="Segments">New, not merged, in the order in which they were written.</param>
/// <param name="Missed">Records that were merged away before they were seen.</param>
/// <param name="Failure">Of a shard that did not answer; null when all did.</param>
internal readonly record struct TailNews(IReadOnlyList<LogSegment> Segments, long Missed, Exception? Failure);

/// <summary>What the tail knows of the shards.</summary>
/// <param name="since">Of a shard that answers later than the others, what was written after that is new.</param>
internal sealed class TailShards(LogShardSet shards, DateTimeOffset since) : IDisposable
{
    private readonly ShardManifest[] _shards = [.. shards.All.Select(shard => new ShardManifest(shard))];
    private readonly Dictionary<string, int>?[] _known = new Dictionary<string, int>?[shards.All.Count()];
    private bool _hasLooked;

    /// <summary>What came since the last look.</summary>
    public async Task<TailNews> Look()
    {
        var asked = Array.ConvertAll(_shards, shard => shard.Segments(CancellationToken.None));
        await ((Task)Task.WhenAll(asked)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var segments = new List<LogSegment>();
        var missed = 0L;
        Exception? failure = null;
        for (var shard = 0; shard < asked.Length; shard++)
        {
            if (!asked[shard].IsCompletedSuccessfully)
            {
                // The others go on; what this one has comes when it answers.
                failure ??= asked[shard].Exception?.InnerException ?? new TaskCanceledException(asked[shard]);
                continue;
            }

            var now = await asked[shard];
            var known = _known[shard] ??= Before(now);
            missed += News(now, known, segments);
        }

        _hasLooked = true;
        segments.Sort((left, right) => left.Written.CompareTo(right.Written));
        return new(segments, missed, failure);
    }

    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
    }

    /// <summary>What of a shard that answers for the first time was there before somebody watched.</summary>
    private Dictionary<string, int> Before(ImmutableArray<LogSegment> now) =>
        now.Where(segment => !_hasLooked || segment.Written <= since)
            .ToDictionary(segment => segment.Name, segment => segment.Records, StringComparer.Ordinal);

    /// <summary>Adds what is new and was not merged; the records that a new merge holds and nobody saw are the answer.</summary>
    internal static long News(ImmutableArray<LogSegment> now, Dictionary<string, int> known, List<LogSegment> news)
    {
        var merged = 0L;
        var before = known.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var segment in now)
        {
            if (before.Remove(segment.Name))
            {
                continue;
            }

            known.Add(segment.Name, segment.Records);
            if (segment.IsMerged)
            {
                merged += segment.Records;
            }
            else
            {
                news.Add(segment);
            }
        }

        foreach (var gone in before)
        {
            merged -= known[gone];
            known.Remove(gone);
        }

        // Records whose time to be kept is over go too: then more is gone than was merged.
        return Math.Max(0, merged);
    }
}
