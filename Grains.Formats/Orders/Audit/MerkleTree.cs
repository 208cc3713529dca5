using System.Buffers.Binary;
using System.Numerics;

namespace Grains.Orders.Audit;

/// <summary>
/// A Merkle tree (RFC 6962 §2.1) that only grows, as its size and its frontier: the roots of the perfect subtrees that it consists of, one
/// for each bit of the size.
/// Enough to append and to know the root; at most 63 hashes, 20 for a million leaves. Made to be kept in one row (<see cref="ToBytes"/>).
/// </summary>
/// <remarks>Not thread-safe. Proofs need the nodes below, which <see cref="TileWriter"/> keeps.</remarks>
public sealed class MerkleTree
{
    private const byte FormatVersion = 1;
    private const int MaxHeight = 63;

    /// <summary>At height h the root of the perfect subtree of 2^h leaves, if bit h of the size is set.</summary>
    private readonly MerkleHash[] _frontier = new MerkleHash[MaxHeight];

    /// <summary>Leaves appended so far.</summary>
    public long Size { get; private set; }

    /// <summary>The tree's root at its present size. Costs a hash for each bit of the size.</summary>
    public MerkleHash Root
    {
        get
        {
            if (Size == 0)
            {
                return MerkleHash.Empty;
            }

            var low = BitOperations.TrailingZeroCount(Size);
            var root = _frontier[low];
            for (var height = low + 1; height < MaxHeight; height++)
            {
                if ((Size >> height & 1) == 1)
                {
                    root = MerkleHash.Node(_frontier[height], root);
                }
            }

            return root;
        }
    }

    /// <summary>Appends a leaf by its hash (<see cref="MerkleHash.Leaf"/>), two hashes' work on average with the root left out.</summary>
    public void Append(in MerkleHash leaf) => Append(leaf, []);

    /// <summary>
    /// Appends a leaf and tells which nodes that are kept in tiles it completed: into <c>completed[l]</c> goes the root of the perfect
    /// subtree of 256^l leaves that ends with
    /// this leaf. Answers how many such levels there are, at least one: the leaf itself.
    /// </summary>
    internal int Append(in MerkleHash leaf, Span<MerkleHash> completed)
    {
        var node = leaf;
        var height = 0;
        while (true)
        {
            if (height % TileId.Height == 0 && height / TileId.Height < completed.Length)
            {
                completed[height / TileId.Height] = node;
            }

            if ((Size >> height & 1) == 0)
            {
                break;
            }

            node = MerkleHash.Node(_frontier[height], node);
            height++;
        }

        _frontier[height] = node;
        Size++;
        return (height / TileId.Height) + 1;
    }

    /// <summary>
    /// The root of the perfect subtree of 2^<paramref name="height"/> leaves in the frontier; that bit of the size must be set.
    /// </summary>
    internal MerkleHash Frontier(int height) => _frontier[height];

    /// <summary>A tree of its own that goes on from here.</summary>
    public MerkleTree Copy()
    {
        var copy = new MerkleTree { Size = Size };
        _frontier.CopyTo(copy._frontier, 0);
        return copy;
    }

    /// <summary>Size and frontier: 9 bytes and 32 for each bit of the size that is set, largest subtree first.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[LengthFor(Size)];
        bytes[0] = FormatVersion;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), Size);
        var at = 9;
        for (var height = MaxHeight - 1; height >= 0; height--)
        {
            if ((Size >> height & 1) == 1)
            {
                _frontier[height].CopyTo(bytes.AsSpan(at));
                at += MerkleHash.Size;
            }
        }

        return bytes;
    }

    /// <exception cref="FormatException">These are not bytes that <see cref="ToBytes"/> made.</exception>
    public static MerkleTree FromBytes(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 9 || bytes[0] != FormatVersion)
        {
            throw new FormatException(
                $"A tree's frontier starts with the byte {FormatVersion} and its size in eight; this has {bytes.Length} bytes."
            );
        }

        var size = BinaryPrimitives.ReadInt64BigEndian(bytes[1..]);
        if (size < 0 || bytes.Length != LengthFor(size))
        {
            throw new FormatException($"The frontier of a tree of {size} leaves does not have {bytes.Length} bytes.");
        }

        var tree = new MerkleTree { Size = size };
        var at = 9;
        for (var height = MaxHeight - 1; height >= 0; height--)
        {
            if ((size >> height & 1) == 1)
            {
                tree._frontier[height] = MerkleHash.FromBytes(bytes.Slice(at, MerkleHash.Size));
                at += MerkleHash.Size;
            }
        }

        return tree;
    }

    private static int LengthFor(long size) => 9 + (BitOperations.PopCount((ulong)size) * MerkleHash.Size);
}
