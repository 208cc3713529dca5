using System.Globalization;

namespace Grains.Orders.Audit;

/// <summary>
/// A tile: up to 256 neighbouring hashes of a Merkle tree, all of one height. A tile of level 0 holds leaf hashes; one of level l the roots
/// of perfect subtrees of 256^l leaves,
/// each of which is the root of a full tile of the level below. What is between is hashed again when it is asked for: at most 255 hashes.
/// (The plan of C2SP's tlog-tiles, with rows in place of files.)
/// </summary>
/// <remarks>
/// A tile is a row that is put again as it grows, by appending only, to at most <see cref="MaxBytes"/>; then it never changes. So n leaves
/// cost n/256 rows of level 0 and 1/255 of that
/// above, and a proof about any leaf or any two sizes reads at most two tiles of each level: 6 rows in a log of 16 million.
/// </remarks>
/// <param name="Level">0 to <see cref="Levels"/> − 1.</param>
/// <param name="Index">Which of its level, from the left.</param>
public readonly record struct TileId(int Level, long Index)
{
    /// <summary>Levels of the tree between a tile and the one above it.</summary>
    public const int Height = 8;

    /// <summary>Hashes in a full tile.</summary>
    public const int Width = 1 << Height;

    /// <summary>Bytes of a full tile.</summary>
    public const int MaxBytes = Width * MerkleHash.Size;

    /// <summary>Enough for 2^63 leaves.</summary>
    public const int Levels = 8;

    /// <summary>What the keys of all tiles start with. No other row of the partition may.</summary>
    public const string KeyPrefix = "tile.";

    /// <summary>The row key. In the order of keys, tiles come by level and then from left to right.</summary>
    public string Key => string.Create(CultureInfo.InvariantCulture, $"{KeyPrefix}{Level}.{Index:x14}");

    public override string ToString() => Key;

    /// <summary>How many hashes of a level a tree of <paramref name="size"/> leaves has.</summary>
    internal static long CountAt(int level, long size) => size >> (level * Height);
}

/// <summary>A tile as it is to be stored: put the row, whatever was there.</summary>
/// <param name="Bytes">Its hashes one after another, <see cref="TileId.MaxBytes"/> at most.</param>
public readonly record struct TileRow(TileId Id, byte[] Bytes)
{
    public string Key => Id.Key;
}

/// <summary>Where the tiles of one tree are read.</summary>
public interface ITileSource
{
    /// <summary>The tile's bytes as they were last stored; null when there is none.</summary>
    ValueTask<ReadOnlyMemory<byte>?> Read(TileId tile, CancellationToken cancel = default);
}
