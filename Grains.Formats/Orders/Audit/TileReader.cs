using System.Collections.Immutable;
using System.Numerics;

namespace Grains.Orders.Audit;

/// <summary>
/// Makes proofs from tiles: each reads at most two tiles of each level (<see cref="TileId"/>), however large the log.
/// </summary>
/// <remarks>
/// A proof about an earlier size can be made at any later time, because tiles only grow. What is read is not trusted: if a tile was changed
/// the proof does not verify.
/// A tile that is missing or too short is an <see cref="InvalidDataException"/>.
/// </remarks>
public sealed class TileReader(ITileSource tiles)
{
    /// <summary>The hash of a leaf.</summary>
    public async ValueTask<MerkleHash> Leaf(long index, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return (await Hash([new(index, index + 1)], cancel))[0];
    }

    /// <summary>The root as it was, or is, at this size.</summary>
    public async ValueTask<MerkleHash> Root(long size, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        return size == 0 ? MerkleHash.Empty : (await Hash([new(0, size)], cancel))[0];
    }

    /// <summary>
    /// The proof that leaf <paramref name="index"/> is in the tree of the first <paramref name="size"/> leaves (RFC 9162 §2.1.3.1).
    /// </summary>
    public async ValueTask<InclusionProof> Inclusion(long index, long size, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(size, index);
        return new(index, size, await Hash(Siblings(index, size), cancel));
    }

    /// <summary>
    /// The proof that the tree of <paramref name="first"/> leaves is the beginning of the one of <paramref name="second"/> (RFC 9162
    /// §2.1.4.1). Empty for 0 and for equal sizes.
    /// </summary>
    public async ValueTask<ConsistencyProof> Consistency(long first, long second, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(second, first);
        return new(first, second, first == 0 || first == second ? [] : await Hash(Between(first, second), cancel));
    }

    /// <summary>
    /// The path from the root of the full tile <paramref name="tile"/> upwards to the root of the tree of <paramref name="size"/> leaves:
    /// what remains of the inclusion proof of its
    /// first leaf. Reads no tile at or below it, so that a tile can be checked by those above.
    /// </summary>
    internal ValueTask<ImmutableArray<MerkleHash>> PathAbove(TileId tile, long size, CancellationToken cancel)
    {
        var height = (tile.Level + 1) * TileId.Height;
        return Hash([.. Siblings(tile.Index << height, size).Skip(height)], cancel);
    }

    /// <summary>The root of a perfect subtree, from the hashes of one height: a power of two of them, at most 256.</summary>
    internal static MerkleHash Fold(ReadOnlySpan<MerkleHash> hashes)
    {
        if (hashes.Length == 1)
        {
            return hashes[0];
        }

        Span<MerkleHash> nodes = stackalloc MerkleHash[hashes.Length / 2];
        for (var i = 0; i < nodes.Length; i++)
        {
            nodes[i] = MerkleHash.Node(hashes[2 * i], hashes[(2 * i) + 1]);
        }

        for (var width = nodes.Length; width > 1; width /= 2)
        {
            for (var i = 0; i < width / 2; i++)
            {
                nodes[i] = MerkleHash.Node(nodes[2 * i], nodes[(2 * i) + 1]);
            }
        }

        return nodes[0];
    }

    /// <summary>The subtrees beside the path from a leaf to the root, lowest first: PATH of the RFC, unrolled.</summary>
    private static List<LeafRange> Siblings(long index, long size)
    {
        var siblings = new List<LeafRange>();
        for (var (from, to) = (0L, size); to - from > 1; )
        {
            var middle = from + SplitOf(to - from);
            siblings.Add(index < middle ? new(middle, to) : new(from, middle));
            (from, to) = index < middle ? (from, middle) : (middle, to);
        }

        siblings.Reverse();
        return siblings;
    }

    /// <summary>SUBPROOF of the RFC, unrolled: the subtrees that both trees are made of, lowest first.</summary>
    private static List<LeafRange> Between(long first, long second)
    {
        var ranges = new List<LeafRange>();
        var (from, to) = (0L, second);
        while (first != to)
        {
            var middle = from + SplitOf(to - from);
            ranges.Add(first <= middle ? new(middle, to) : new(from, middle));
            (from, to) = first <= middle ? (from, middle) : (middle, to);
        }

        if (from != 0)
        {
            ranges.Add(new(from, to)); // Else it is the first tree's root, which the verifier has.
        }

        ranges.Reverse();
        return ranges;
    }

    /// <summary>The largest power of two less than <paramref name="leaves"/>, which is 2 or more.</summary>
    private static long SplitOf(long leaves) => 1L << BitOperations.Log2((ulong)(leaves - 1));

    private async ValueTask<ImmutableArray<MerkleHash>> Hash(List<LeafRange> ranges, CancellationToken cancel)
    {
        var read = new Dictionary<TileId, ReadOnlyMemory<byte>>();
        foreach (var range in ranges)
        {
            foreach (var node in range.Nodes())
            {
                if (!read.TryGetValue(node.Tile, out var bytes))
                {
                    bytes = await tiles.Read(node.Tile, cancel) ?? throw new InvalidDataException($"Tile {node.Tile} is not stored.");
                    read.Add(node.Tile, bytes);
                }

                if (bytes.Length < (node.First + node.Width) * MerkleHash.Size || bytes.Length > TileId.MaxBytes)
                {
                    throw new InvalidDataException(
                        $"Tile {node.Tile} has {bytes.Length} bytes; {(node.First + node.Width) * MerkleHash.Size} to "
                            + $"{TileId.MaxBytes} are needed."
                    );
                }
            }
        }

        return [.. ranges.Select(range => range.Root(read))];
    }

    /// <summary>
    /// Leaves from ≤ i &lt; to, where from is a multiple of the largest power of two in the range, as it is everywhere in the RFC's trees.
    /// </summary>
    private readonly record struct LeafRange(long From, long To)
    {
        /// <summary>The perfect subtrees from left to right, which is from large to small.</summary>
        public IEnumerable<TileNode> Nodes()
        {
            for (var from = From; from < To; )
            {
                var height = BitOperations.Log2((ulong)(To - from));
                yield return TileNode.At(height, from >> height);
                from += 1L << height;
            }
        }

        public MerkleHash Root(Dictionary<TileId, ReadOnlyMemory<byte>> read)
        {
            var nodes = Nodes().ToList();
            var root = nodes[^1].Root(read);
            for (var i = nodes.Count - 2; i >= 0; i--)
            {
                root = MerkleHash.Node(nodes[i].Root(read), root);
            }

            return root;
        }
    }

    /// <summary>A perfect subtree's root: it lies over a power of two of neighbours in one tile.</summary>
    private readonly record struct TileNode(TileId Tile, int First, int Width)
    {
        public static TileNode At(int height, long index)
        {
            var above = height % TileId.Height;
            var first = index << above;
            return new(new(height / TileId.Height, first / TileId.Width), (int)(first % TileId.Width), 1 << above);
        }

        public MerkleHash Root(Dictionary<TileId, ReadOnlyMemory<byte>> read) =>
            Fold(
                System.Runtime.InteropServices.MemoryMarshal.Cast<byte, MerkleHash>(
                    read[Tile].Span.Slice(First * MerkleHash.Size, Width * MerkleHash.Size)
                )
            );
    }
}
