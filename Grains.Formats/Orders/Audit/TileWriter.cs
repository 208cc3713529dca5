namespace Grains.Orders.Audit;

/// <summary>
/// A growing tree and the tiles at its right edge. It is given leaf hashes and says which rows change; whoever owns the partition stores
/// them in the commit that moves its cursor,
/// together with <see cref="MerkleTree.ToBytes"/> in the cursor's row. So tree, tiles and cursor never part.
/// </summary>
/// <remarks>
/// <para>Memory: the hashes of the unfinished tiles, under 8 KiB for each level that has any.</para>
/// <para><see cref="Append"/> changes the memory at once: if the commit fails, or its outcome is unknown, the owner ends and its successor
/// starts from <see cref="Restore"/>.</para>
/// <para>Not thread-safe.</para>
/// </remarks>
public sealed class TileWriter
{
    /// <summary>Leaves in one call of <see cref="Append"/>.</summary>
    public const int MaxLeaves = 4096;

    /// <summary>
    /// More rows no call of <see cref="Append"/> changes: 17 of level 0, 2 of level 1 and one of each level above; fewer than 200 KiB in
    /// all. A few dozen leaves change one or two as
    /// a rule and never more than <see cref="TileId.Levels"/> + 1.
    /// </summary>
    public const int MaxRows = (MaxLeaves / TileId.Width) + 1 + 2 + (TileId.Levels - 2);

    private readonly MerkleTree _tree;
    private readonly List<MerkleHash>[] _edges = [.. Enumerable.Range(0, TileId.Levels).Select(_ => new List<MerkleHash>())];

    /// <summary>Without leaves.</summary>
    public TileWriter()
        : this(new MerkleTree()) { }

    private TileWriter(MerkleTree tree) => _tree = tree;

    public long Size => _tree.Size;

    public MerkleHash Root => _tree.Root;

    /// <summary>The frontier to be stored in the cursor's row: <see cref="MerkleTree.ToBytes"/>.</summary>
    public byte[] Frontier() => _tree.ToBytes();

    /// <summary>
    /// Goes on from what is stored, reading the unfinished tiles: one row of each level, usually one to three in all.
    /// </summary>
    /// <exception cref="InvalidDataException">The tiles are not those of this frontier. They are stored by one commit, so a row was changed
    /// by somebody else.</exception>
    public static async ValueTask<TileWriter> Restore(MerkleTree tree, ITileSource tiles, CancellationToken cancel = default)
    {
        var writer = new TileWriter(tree.Copy());
        for (var level = 0; level < TileId.Levels; level++)
        {
            var count = TileId.CountAt(level, tree.Size);
            var width = (int)(count % TileId.Width);
            if (width == 0)
            {
                continue;
            }

            var id = new TileId(level, count / TileId.Width);
            var bytes = await tiles.Read(id, cancel)
                ?? throw new InvalidDataException($"Tile {id} is not stored; the tree of {tree.Size} leaves has {width} hashes in it.");
            if (bytes.Length != width * MerkleHash.Size)
            {
                throw new InvalidDataException(
                    $"Tile {id} has {bytes.Length} bytes; the tree of {tree.Size} leaves has {width} hashes of "
                        + $"{MerkleHash.Size} bytes in it."
                );
            }

            for (var i = 0; i < width; i++)
            {
                writer._edges[level].Add(MerkleHash.FromBytes(bytes.Span.Slice(i * MerkleHash.Size, MerkleHash.Size)));
            }

            writer.CheckEdge(id);
        }

        return writer;
    }

    /// <summary>How many rows <see cref="Append"/> of so many leaves would change now: for whoever fills a commit.</summary>
    public int RowsFor(int leaves)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(leaves);
        var rows = 0L;
        for (var level = 0; level < TileId.Levels; level++)
        {
            var before = TileId.CountAt(level, Size);
            var after = TileId.CountAt(level, Size + leaves);
            if (after > before)
            {
                rows += ((after - 1) / TileId.Width) - (before / TileId.Width) + 1;
            }
        }

        return checked((int)rows);
    }

    /// <summary>
    /// Appends leaves by their hashes, in order, and answers the rows that changed, each once and as it is after the last leaf.
    /// </summary>
    /// <param name="leaves">At most <see cref="MaxLeaves"/>.</param>
    public IReadOnlyList<TileRow> Append(ReadOnlySpan<MerkleHash> leaves)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(leaves.Length, MaxLeaves);
        var before = Size;
        var rows = new List<TileRow>();
        Span<MerkleHash> completed = stackalloc MerkleHash[TileId.Levels];
        foreach (ref readonly var leaf in leaves)
        {
            var levels = _tree.Append(leaf, completed);
            for (var level = 0; level < levels; level++)
            {
                var edge = _edges[level];
                edge.Add(completed[level]);
                if (edge.Count == TileId.Width)
                {
                    rows.Add(Row(level, (TileId.CountAt(level, Size) - 1) / TileId.Width));
                    edge.Clear();
                }
            }
        }

        for (var level = 0; level < TileId.Levels; level++)
        {
            var count = TileId.CountAt(level, Size);
            if (count > TileId.CountAt(level, before) && _edges[level].Count > 0)
            {
                rows.Add(Row(level, count / TileId.Width));
            }
        }

        return rows;
    }

    private TileRow Row(int level, long index)
    {
        var edge = _edges[level];
        var bytes = new byte[edge.Count * MerkleHash.Size];
        for (var i = 0; i < edge.Count; i++)
        {
            edge[i].CopyTo(bytes.AsSpan(i * MerkleHash.Size));
        }

        return new(new(level, index), bytes);
    }

    /// <summary>The unfinished tile's perfect subtrees are part of the frontier.</summary>
    private void CheckEdge(TileId id)
    {
        var edge = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_edges[id.Level]);
        var from = 0;
        for (var height = TileId.Height - 1; height >= 0; height--)
        {
            if ((edge.Length >> height & 1) == 0)
            {
                continue;
            }

            if (TileReader.Fold(edge.Slice(from, 1 << height)) != _tree.Frontier((id.Level * TileId.Height) + height))
            {
                throw new InvalidDataException($"Tile {id} is not the one that the tree of {Size} leaves was stored with.");
            }

            from += 1 << height;
        }
    }
}
