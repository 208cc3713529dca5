using System.Collections.Immutable;
using System.Numerics;

namespace Grains.Orders.Audit;

/// <summary>
/// That a tree is the beginning of another: nothing in it was changed, moved or removed since (RFC 9162 §2.1.4). Made by
/// <see cref="TileReader.Consistency"/>.
/// </summary>
/// <param name="First">Leaves of the earlier tree.</param>
/// <param name="Second">Leaves of the later tree.</param>
public sealed record ConsistencyProof(long First, long Second, ImmutableArray<MerkleHash> Path)
{
    /// <summary>
    /// True when the tree of <see cref="First"/> leaves with the root <paramref name="first"/> is the beginning of the tree of
    /// <see cref="Second"/> leaves with the root
    /// <paramref name="second"/>. Any proof may be given, from anybody. The algorithm of RFC 9162 §2.1.4.2; beyond it, as RFC 6962 leaves
    /// open: a tree is consistent with itself, and the
    /// empty one with every tree, both by an empty path.
    /// </summary>
    public bool Verify(in MerkleHash first, in MerkleHash second)
    {
        if (First < 0 || First > Second)
        {
            return false;
        }

        if (First == Second)
        {
            return Path.IsEmpty && first == second && (First > 0 || first == MerkleHash.Empty);
        }

        if (First == 0)
        {
            return Path.IsEmpty && first == MerkleHash.Empty;
        }

        // 1–3: when the first size is a power of two its root is the first node of the path, which is left out.
        var path = BitOperations.IsPow2(First) ? Path.Insert(0, first) : Path;
        if (path.IsEmpty)
        {
            return false;
        }

        // 4–5
        var (fn, sn) = (First - 1, Second - 1);
        while ((fn & 1) == 1)
        {
            (fn, sn) = (fn >> 1, sn >> 1);
        }

        // 6: both roots are built at once.
        var (fr, sr) = (path[0], path[0]);
        foreach (ref readonly var node in path.AsSpan()[1..])
        {
            if (sn == 0)
            {
                return false;
            }

            if ((fn & 1) == 1 || fn == sn)
            {
                fr = MerkleHash.Node(node, fr);
                sr = MerkleHash.Node(node, sr);
                while ((fn & 1) == 0 && fn != 0)
                {
                    (fn, sn) = (fn >> 1, sn >> 1);
                }
            }
            else
            {
                sr = MerkleHash.Node(sr, node);
            }

            (fn, sn) = (fn >> 1, sn >> 1);
        }

        // 7
        return fr == first && sr == second && sn == 0;
    }
}
