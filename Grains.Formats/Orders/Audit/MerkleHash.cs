using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Grains.Orders.Audit;

/// <summary>
/// A SHA-256 value of a Merkle tree as RFC 6962 §2.1 and RFC 9162 §2.1.1 hash it: leaf = SHA-256(0x00 ‖ data), node = SHA-256(0x01 ‖ left ‖
/// right).
/// </summary>
/// <remarks>The first byte keeps leaves and nodes apart: without it somebody could pass two hashes off as the data of a leaf.</remarks>
public readonly struct MerkleHash : IEquatable<MerkleHash>
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private const byte LeafPrefix = 0;
    private const byte NodePrefix = 1;

    /// <summary>Data up to here is hashed from the stack, which covers every entry but those with a large payload.</summary>
    private const int MaxOnStack = 1024;

#pragma warning disable CS0649 // The 32 bytes: read and written as a whole.
    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;
#pragma warning restore CS0649

    /// <summary>The root of a tree without leaves: SHA-256 of nothing.</summary>
    public static MerkleHash Empty { get; } = FromBytes(SHA256.HashData([]));

    /// <param name="bytes">Exactly <see cref="Size"/> bytes, else an <see cref="ArgumentException"/>.</param>
    public static MerkleHash FromBytes(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Size
            ? MemoryMarshal.Read<MerkleHash>(bytes)
            : throw new ArgumentException($"A SHA-256 value has {Size} bytes; this has {bytes.Length}.", nameof(bytes));

    /// <summary>The hash of a leaf with this data.</summary>
    public static MerkleHash Leaf(ReadOnlySpan<byte> data)
    {
        var input = data.Length < MaxOnStack ? stackalloc byte[MaxOnStack] : new byte[data.Length + 1];
        input = input[..(data.Length + 1)];
        input[0] = LeafPrefix;
        data.CopyTo(input[1..]);
        return Of(input);
    }

    /// <summary>The hash of the node above two others.</summary>
    public static MerkleHash Node(in MerkleHash left, in MerkleHash right)
    {
        Span<byte> input = stackalloc byte[1 + (2 * Size)];
        input[0] = NodePrefix;
        left.CopyTo(input[1..]);
        right.CopyTo(input[(1 + Size)..]);
        return Of(input);
    }

    /// <summary>SHA-256 of the bytes as they are. The caller sees to it that they cannot be those of a leaf or a node.</summary>
    internal static MerkleHash Of(ReadOnlySpan<byte> input)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(input, hash);
        return MemoryMarshal.Read<MerkleHash>(hash);
    }

    public void CopyTo(Span<byte> target) => MemoryMarshal.Write(target, in this);

    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(ToBytes());

    /// <summary>Reads what <see cref="ToString"/> wrote; nothing else, so that a hash has one text.</summary>
    public static bool TryParse(string? text, out MerkleHash hash)
    {
        hash = default;
        if (text is not { Length: 2 * Size } || !text.All(char.IsAsciiHexDigitLower))
        {
            return false;
        }

        hash = FromBytes(Convert.FromHexString(text));
        return true;
    }

    /// <inheritdoc cref="TryParse"/>
    /// <exception cref="FormatException">It is not such a text.</exception>
    public static MerkleHash Parse(string? text) =>
        TryParse(text, out var hash)
            ? hash
            : throw new FormatException($"A hash is {2 * Size} lower-case hexadecimal digits; this is \"{text}\".");

    public bool Equals(MerkleHash other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    public override bool Equals(object? obj) => obj is MerkleHash other && Equals(other);

    public override int GetHashCode() => _a.GetHashCode();

    public static bool operator ==(MerkleHash left, MerkleHash right) => left.Equals(right);

    public static bool operator !=(MerkleHash left, MerkleHash right) => !left.Equals(right);
}
