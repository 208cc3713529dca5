using Grains.Orders.Audit;

namespace Unit.Orders.Audit;

/// <summary>Tiles as rows would keep them; counts what is read.</summary>
internal sealed class TilesInMemory : ITileSource
{
    public Dictionary<string, byte[]> Rows { get; } = [];

    public HashSet<TileId> Read { get; } = [];

    public int Reads { get; private set; }

    public void Put(IEnumerable<TileRow> rows)
    {
        foreach (var row in rows)
        {
            Rows[row.Key] = row.Bytes;
        }
    }

    ValueTask<ReadOnlyMemory<byte>?> ITileSource.Read(TileId tile, CancellationToken cancel)
    {
        Reads++;
        Read.Add(tile);
        return ValueTask.FromResult(Rows.TryGetValue(tile.Key, out var bytes) ? (ReadOnlyMemory<byte>?)bytes : null);
    }

    public void ForgetReads()
    {
        Reads = 0;
        Read.Clear();
    }
}
