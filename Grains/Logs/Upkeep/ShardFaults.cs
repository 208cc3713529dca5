using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Grains.Logs.Rows;
using Grains.Storage;
using Microsoft.Extensions.Logging;

namespace Grains.Logs.Upkeep;

/// <summary>
/// The segments of a shard that cannot be read, by their number in the manifest: they are left alone, and do not keep others from being
/// merged.
/// </summary>
/// <param name="all">Those of the whole silo.</param>
internal sealed partial class ShardFaults(long shard, LogPartition log, IBlobStore blobs, UnreadableSegments all, ILogger logger)
{
    /// <summary>So often a shard looks whether the files of its segments are there and have their size.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <summary>And when somebody asks how it stands, if it has not looked for so long.</summary>
    public static readonly TimeSpan LookWhenAsked = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<long, SegmentFault> _faults = [];
    private DateTimeOffset _looked;

    /// <summary>Segments and rows.</summary>
    public int Count => _faults.Count + log.UnreadableRows.Count;

    /// <summary>Their names, as many as an answer holds.</summary>
    public IEnumerable<string> Names =>
        _faults
            .Values.Select(segment => segment.Name)
            .Concat(log.UnreadableRows.Select(row => $"shard {shard}, row {row}"))
            .Take(QueryEnd.MaxUnreadableNames);

    public bool Contains(long number) => _faults.ContainsKey(number);

    public void Add(long number, string name, string reason)
    {
        all.Add(name, reason);
        if (_faults.TryAdd(number, new(name, reason, MayPass: false)))
        {
            LogUnreadable(shard, name, reason);
        }
    }

    /// <summary>
    /// Looks whether the segments' files are there, where the store has files: one that is lost shows in the health of the silo before
    /// anybody asks for it. A content that is damaged shows when it is read.
    /// </summary>
    public async Task Look(DateTimeOffset now, TimeSpan every)
    {
        foreach (var gone in _faults.Keys.Where(number => !log.Manifest.Contains(number)).ToArray())
        {
            _faults.Remove(gone);
        }

        if (blobs is not ILocalBlobs local || now - _looked < every)
        {
            return;
        }

        _looked = now;
        var entries = log.Manifest.Segments.ToList();
        var faults = await Task.Run(() => entries.ConvertAll(entry => SegmentCache.Fault(local, entry.Value, out _)));
        foreach (var ((number, segment), fault) in entries.Zip(faults).Where(entry => log.Manifest.Contains(entry.First.Key)))
        {
            if (fault is { } found)
            {
                Add(number, segment.Name, found.Reason);
            }
            else if (_faults.TryGetValue(number, out var known) && known.Reason != SegmentFault.Damaged)
            {
                _faults.Remove(number); // Put right. Whether a content is, shows only when it is read.
                all.Remove([segment]);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Shard {Shard} cannot read the segment {Name}, which {Reason}; it is left as it is, and what is in it is "
            + "missing from answers"
    )]
    private partial void LogUnreadable(long shard, string name, string reason);
}
