using Grains.Interfaces.Logs;
using Grains.Logs.Segments;
using Grains.Storage;

namespace Grains.Logs.Rows;

/// <summary>Stores the objects of a shard's segments, each under a name that was never given before.</summary>
public sealed class ShardSegments(long shard, LogPartition log, IBlobStore blobs, TimeProvider clock)
{
    /// <summary>Durable when it answers; the segment is no part of the log until its row is committed.</summary>
    /// <param name="arrived">The hour of arrival.</param>
    /// <param name="step">One of <see cref="LogsTracing"/>.</param>
    /// <exception cref="IOException">The store did not take it, or has an object of that name.</exception>
    public async Task<(long Number, LogSegment Segment)> Put(
        WrittenSegment written,
        string retention,
        DateTimeOffset arrived,
        bool isMerged,
        string step,
        CancellationToken cancel
    )
    {
        var number = log.NextNumber();
        var name = new SegmentName(arrived, retention, shard, log.Epoch, number).ToString();
        using (LogsTracing.Source.StartActivity(step))
        {
            if (!await blobs.Put(name, written.Content, cancel))
            {
                throw new IOException($"There is an object \"{name}\" already, and no other may have that name.");
            }
        }

        var facts = written.Facts;
        return (
            number,
            new(
                name,
                retention,
                arrived,
                clock.GetUtcNow(),
                facts.MinTime,
                facts.MaxTime,
                facts.Records,
                written.Content.Length,
                facts.RawBytes,
                isMerged,
                facts.Services,
                facts.Traces
            )
        );
    }
}
