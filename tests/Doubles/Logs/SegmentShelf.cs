using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Grains.Logs.Segments;
using Grains.Storage;

namespace Doubles.Logs;

/// <summary>Segments without shards: each block that is added becomes one, and they are merged and lost when a test says so.</summary>
public sealed class SegmentShelf(IBlobStore blobs) : ISegmentSource
{
    private readonly List<LogSegment> _segments = [];
    private int _next;

    /// <summary>Called when somebody asks for the segments, before they are looked up.</summary>
    public Action OnAsked { get; set; } = () => { };

    /// <summary>Called when somebody has asked for the segments, after they were looked up.</summary>
    public Action OnTold { get; set; } = () => { };

    public IReadOnlyList<LogSegment> All => _segments;

    /// <summary>Shards that are said not to answer.</summary>
    public ImmutableArray<SegmentFault> Shards { get; set; } = [];

    public Task<KeptSegments> Segments(CancellationToken cancel = default)
    {
        OnAsked();
        ImmutableArray<LogSegment> segments = [.. _segments];
        OnTold();
        return Task.FromResult(new KeptSegments(segments, Shards));
    }

    public Task<LogSegment> Add(params LogBlock[] blocks) => Keep(SegmentWriter.Write(blocks, level: 1), isMerged: false);

    /// <summary>It is no longer part of the log; its object stays.</summary>
    public void Drop(string name) => _segments.RemoveAll(segment => segment.Name == name);

    /// <summary>One segment in place of all; the objects of those that it replaces are deleted.</summary>
    public async Task Merge()
    {
        var contents = new List<ReadOnlyMemory<byte>>();
        foreach (var segment in _segments)
        {
            contents.Add((await blobs.Get(segment.Name))!.Value);
        }

        var merged = SegmentMerge.Merge(contents, level: 3);
        var old = _segments.ToArray();
        _segments.Clear();
        await Keep(merged, isMerged: true);
        foreach (var segment in old)
        {
            await blobs.Delete(segment.Name);
        }
    }

    public async Task<LogSegment> Keep(WrittenSegment written, bool isMerged)
    {
        var facts = written.Facts;
        var segment = new LogSegment(
            $"logs/2026/s{_next++}",
            "default",
            LogForm.Moment(facts.MinTime),
            LogForm.Moment(facts.MaxTime),
            facts.MinTime,
            facts.MaxTime,
            facts.Records,
            written.Content.Length,
            facts.RawBytes,
            isMerged,
            facts.Services,
            facts.Traces
        );
        await blobs.Put(segment.Name, written.Content);
        _segments.Add(segment);
        return segment;
    }
}
