using Grains.Interfaces.Orders;
using Grains.Orders.Audit;

namespace Client.Orders;

/// <summary>
/// The audit, read from the cluster as it is needed. Nothing that is read is believed: <see cref="AuditVerifier"/> holds it against signed
/// heads.
/// </summary>
internal sealed class AuditReading(IAuditGrain audit, int partitions) : IAuditSource
{
    public ValueTask<IReadOnlyCollection<int>> Partitions(CancellationToken cancel = default) => new([.. Enumerable.Range(0, partitions)]);

    public async ValueTask<ReadOnlyMemory<byte>?> Frontier(int partition, CancellationToken cancel = default) =>
        partition < partitions && (await audit.Frontiers(cancel))[partition] is { } frontier
            ? new ReadOnlyMemory<byte>(frontier)
            : (ReadOnlyMemory<byte>?)null;

    public async IAsyncEnumerable<StoredEntry> Entries(
        int partition,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        for (var from = 0L; partition < partitions; )
        {
            var lines = await audit.Entries(partition, from, IAuditGrain.MaxTake, cancel);
            foreach (var line in lines)
            {
                yield return new(
                    line.Index,
                    line.Entry,
                    line.Personal is { } personal ? new ReadOnlyMemory<byte>(personal) : (ReadOnlyMemory<byte>?)null
                );
            }

            if (lines.IsEmpty)
            {
                yield break;
            }

            from = lines[^1].Index + 1;
        }
    }

    public ITileSource Tiles(int partition) => new TilesThere(audit, partition, partition < partitions);

    private sealed class TilesThere(IAuditGrain audit, int partition, bool isThere) : ITileSource
    {
        public async ValueTask<ReadOnlyMemory<byte>?> Read(TileId tile, CancellationToken cancel = default) =>
            isThere && await audit.Tile(partition, tile.Level, tile.Index, cancel) is { } bytes
                ? new ReadOnlyMemory<byte>(bytes)
                : (ReadOnlyMemory<byte>?)null;
    }
}
