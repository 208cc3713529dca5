using System.Collections.Immutable;
using System.Text;
using Grains.Interfaces.Logs;
using Grains.Logs.Batching;
using Grains.Logs.Records;

namespace Grains.Logs.Intake;

/// <summary>Counts a request's records by service: what was taken, and what was refused when it was decoded.</summary>
public static class ReceivedCounts
{
    /// <summary>As if everything that was taken were stored: rules take from that.</summary>
    public static ImmutableArray<ServiceCount> Of(LogBlock block, Decoded decoded)
    {
        var tally = new Tally();
        Taken(block, tally);
        foreach (var ((service, reason), count) in decoded.RefusedByReason)
        {
            tally.Add(Tally.None with { Service = service, Received = count, Refused = Tally.None.Refused.Add(reason, count) });
        }

        return tally.Counts;
    }

    /// <summary>The service with the most records; empty when there are none.</summary>
    public static string Loudest(ImmutableArray<ServiceCount> counts) =>
        counts.IsEmpty ? "" : counts.MaxBy(count => count.Received)!.Service;

    /// <summary>Most neighbours are of one service.</summary>
    private static void Taken(LogBlock block, Tally tally)
    {
        var records = block.Count;
        for (var start = 0; start < records; )
        {
            var service = block[start].Service;
            var end = start + 1;
            while (end < records && block[end].Service.SequenceEqual(service))
            {
                end++;
            }

            tally.Add(Tally.None with { Service = Encoding.UTF8.GetString(service), Received = end - start, Stored = end - start });
            start = end;
        }
    }
}
