using System.Collections.Immutable;

namespace Grains.Orders.Audit;

/// <summary>
/// That a leaf is in a tree: the hashes beside the path from it to the root, lowest first (RFC 9162 §2.1.3). Made by
/// <see cref="TileReader.Inclusion"/>.
/// </summary>
/// <param name="Index">The leaf's place, from 0.</param>
/// <param name="Size">Leaves of the tree.</param>
public sealed record InclusionProof(long Index, long Size, ImmutableArray<MerkleHash> Path)
{
    /// <summary>
    /// True when a tree of <see cref="Size"/> leaves with this root has this leaf hash at <see cref="Index"/>. Any proof may be given, from
    /// anybody.
    /// </summary>
    public bool Verify(in MerkleHash leaf, in MerkleHash root) =>
        Index >= 0 && Index < Size && RootFrom(leaf, Index, Size - 1, Path.AsSpan()) == root;

    /// <summary>
    /// RFC 9162 §2.1.3.2, from any height: <paramref name="node"/> is the <paramref name="index"/>th node of its height,
    /// <paramref name="last"/> the number of the last one there.
    /// Null when the path is too short or too long.
    /// </summary>
    internal static MerkleHash? RootFrom(in MerkleHash node, long index, long last, ReadOnlySpan<MerkleHash> path)
    {
        var (fn, sn) = (index, last);
        var root = node;
        foreach (ref readonly var sibling in path)
        {
            if (sn == 0)
            {
                return null;
            }

            if ((fn & 1) == 1 || fn == sn)
            {
                root = MerkleHash.Node(sibling, root);
                while ((fn & 1) == 0 && fn != 0)
                {
                    (fn, sn) = (fn >> 1, sn >> 1);
                }
            }
            else
            {
                root = MerkleHash.Node(root, sibling);
            }

            (fn, sn) = (fn >> 1, sn >> 1);
        }

        return sn == 0 ? root : null;
    }
}
