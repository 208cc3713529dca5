using System.Collections.Immutable;
using System.Text;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Segments;

/// <summary>What is told about a segment so that readers need not open it in vain.</summary>
/// <param name="Services">Empty when there are more than <see cref="LogSegment.MaxServices"/>.</param>
/// <param name="Traces">See <see cref="TraceFilter"/>.</param>
public sealed record SegmentFacts(
    ulong MinTime,
    ulong MaxTime,
    int Records,
    long RawBytes,
    ImmutableArray<string> Services,
    ReadOnlyMemory<byte> Traces
)
{
    public static SegmentFacts Of(IReadOnlyList<LogBlock> blocks)
    {
        ulong min = ulong.MaxValue,
            max = 0;
        var records = 0;
        var raw = 0L;
        var services = new SortedSet<string>(StringComparer.Ordinal);
        ReadOnlySpan<byte> last = default;
        foreach (var block in blocks)
        {
            records += block.Count;
            raw += block.Bytes.Length;
            var times = block.Times;
            for (var record = 0; record < times.Length; record++)
            {
                min = Math.Min(min, times[record]);
                max = Math.Max(max, times[record]);
                var service = block[record].Service;
                if (services.Count <= LogSegment.MaxServices && (services.Count == 0 || !service.SequenceEqual(last)))
                {
                    services.Add(Encoding.UTF8.GetString(service));
                    last = service;
                }
            }
        }

        return new(min, max, records, raw, services.Count > LogSegment.MaxServices ? [] : [.. services], TraceFilter.Of(blocks));
    }
}
