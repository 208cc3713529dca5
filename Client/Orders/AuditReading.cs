using Grains.Interfaces.Orders;
using Grains.Orders.Audit;

namespace Client.Orders;

/// <summary>
/// The audit as it was at one moment, read from the cluster as it is needed: what is recorded meanwhile is left out. Nothing that is read is believed: <see cref="AuditVerifier"/> holds it against
/// signed heads.
/// </summary>
internal sealed class AuditReading : IAuditSource
{
    private readonly IAuditGrain _audit;
    private readonly byte[]?[] _frontiers;
    private readonly long[] _sizes;

    private AuditReading(IAuditGrain audit, byte[]?[] frontiers)
    {
        _audit = audit;
        _frontiers = frontiers;
        _sizes = [.. frontiers.Select(SizeOf)];
    }

    public static async Task<AuditReading> Open(IAuditGrain audit, CancellationToken cancel) => new(audit, [.. await audit.Frontiers(cancel)]);

    public ValueTask<IReadOnlyCollection<int>> Partitions(CancellationToken cancel = default) => new([.. Enumerable.Range(0, _frontiers.Length)]);

    public ValueTask<ReadOnlyMemory<byte>?> Frontier(int partition, CancellationToken cancel = default) =>
        new(partition < _frontiers.Length && _frontiers[partition] is { } frontier ? new ReadOnlyMemory<byte>(frontier) : null);

    public async IAsyncEnumerable<StoredEntry> Entries(int partition, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel = default)
    {
        for (var from = 0L; partition < _sizes.Length;)
        {
            var lines = await _audit.Entries(partition, from, IAuditGrain.MaxTake, cancel);
            if (lines.IsEmpty)
            {
                yield break;
            }

            foreach (var line in lines)
            {
                if (line.Index >= _sizes[partition] && line.Index < SizeOf((await _audit.Frontiers(cancel))[partition]))
                {
                    yield break; // Recorded since. What the frontier of now does not know either does not belong there, and is given.
                }

                yield return new(line.Index, line.Entry, line.Personal is { } personal ? new ReadOnlyMemory<byte>(personal) : null);
            }

            from = lines[^1].Index + 1;
        }
    }

    public ITileSource Tiles(int partition) => new TilesThen(_audit, partition, partition < _sizes.Length ? _sizes[partition] : 0);

    private static long SizeOf(byte[]? frontier)
    {
        try
        {
            return frontier is null ? 0 : MerkleTree.FromBytes(frontier).Size;
        }
        catch (FormatException)
        {
            return long.MaxValue; // The verifier says what is wrong with it.
        }
    }

    /// <summary>Tiles as they were: they only grow.</summary>
    private sealed class TilesThen(IAuditGrain audit, int partition, long size) : ITileSource
    {
        public async ValueTask<ReadOnlyMemory<byte>?> Read(TileId tile, CancellationToken cancel = default)
        {
            if (await audit.Tile(partition, tile.Level, tile.Index, cancel) is not { } bytes)
            {
                return null;
            }

            var count = Math.Clamp((size >> (tile.Level * TileId.Height)) - (tile.Index * TileId.Width), 0, TileId.Width);
            return new ReadOnlyMemory<byte>(bytes, 0, (int)Math.Min(bytes.Length, count * MerkleHash.Size));
        }
    }
}
