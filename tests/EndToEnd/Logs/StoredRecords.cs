using System.Text;
using Doubles.Logs;
using Grains.Interfaces.Logs;
using Grains.Logs.Segments;
using Silo.Storage;

namespace EndToEnd.Logs;

/// <summary>What is in the log, read from the shards' manifests and the objects that they name: no query, no limit, no cache.</summary>
internal static class StoredRecords
{
    public sealed record Read(
        IReadOnlyList<(string Body, string Attributes)> Records,
        IReadOnlyList<LogShardState> Shards,
        IReadOnlyList<LogSegment> Segments,
        IReadOnlyList<LogLine> Lines
    );

    public static async Task<Read> Of(SiloPlace place, int shards, CancellationToken cancel)
    {
        await using var client = await SilosClient.Connect(cancel, place.Gateway);
        var blobs = DirectoryBlobStore.Open(Path.Combine(place.Data, "blobs"));
        List<(string, string)> records = [];
        List<LogLine> lines = [];
        List<LogShardState> states = [];
        List<LogSegment> segments = [];
        for (var shard = 0; shard < shards; shard++)
        {
            var grain = client.Grains.GetGrain<ILogBatchGrain>(shard);
            var manifest = await SilosClient.Ask(() => grain.Manifest(default, cancel), $"the manifest of shard {shard}");
            states.Add(await SilosClient.Ask(() => grain.Show(cancel), $"the counts of shard {shard}"));
            foreach (var segment in manifest.Added)
            {
                segments.Add(segment);
                var content = await blobs.Get(segment.Name, cancel: cancel)
                    ?? throw new InvalidDataException($"\"{segment.Name}\" is in the manifest and not in the store.");
                foreach (var block in SegmentReader.Read(content))
                {
                    for (var record = 0; record < block.Count; record++)
                    {
                        lines.Add(LogLine.Of(block[record]));
                        records.Add((Encoding.UTF8.GetString(block[record].Body), Encoding.UTF8.GetString(block[record].Attributes)));
                    }
                }
            }
        }

        return new(records, states, segments, lines);
    }
}
