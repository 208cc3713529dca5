using Grains.Interfaces.Logs;
using Grains.Logs.Otlp;
using Grains.Logs.Records;
using Grains.Logs.Segments;

namespace Benchmarks.Logs;

/// <summary>
/// What the parts of a record's way cost by themselves, in CPU seconds a million records: one thread, warm, nothing stored.
/// </summary>
/// <param name="Decoded">From the request's bytes to a block.</param>
/// <param name="Written">From blocks to segments, as they are acknowledged.</param>
/// <param name="Merged">From those segments to one.</param>
internal sealed record SegmentCosts(double Decoded, double Written, double Merged)
{
    /// <summary>As large as a shard writes them under load: 8,192 records each.</summary>
    private const int Segments = 4;

    /// <summary>As many as are made beforehand: no record is in it twice, which would pack better than it should.</summary>
    private const int RequestsOfSegment = LogRequests.Different / Segments;

    public static SegmentCosts Of(LogRequests requests)
    {
        var blocks = new List<LogBlock>();
        byte[]? slot = null;
        var began = Environment.CpuUsage.TotalTime;
        for (var request = 0; request < Segments * RequestsOfSegment; request++)
        {
            using var decoder = new OtlpDecoder(1024 * 1024);
            using var builder = new LogBlockBuilder();
            decoder.Decode(requests.Take(ref slot, 1).Span, 1, builder);
            blocks.Add(builder.Build());
        }

        var decoded = Environment.CpuUsage.TotalTime;
        var segments = blocks
            .Chunk(RequestsOfSegment)
            .Select(segment => SegmentWriter.Write(segment, SegmentWriter.QuickLevel).Content)
            .ToList();
        var written = Environment.CpuUsage.TotalTime;
        SegmentMerge.Merge(segments, SegmentMerge.Level);
        var merged = Environment.CpuUsage.TotalTime;
        blocks.ForEach(LogBlockBuilder.Return);
        const double Millions = Segments * RequestsOfSegment * LogRequests.Records / 1e6;
        return new(
            (decoded - began).TotalSeconds / Millions,
            (written - decoded).TotalSeconds / Millions,
            (merged - written).TotalSeconds / Millions
        );
    }
}
