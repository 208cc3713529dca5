using System.Security.Cryptography;
using Grains.Orders.Audit;

namespace Unit.Orders.Audit;

/// <summary>RFC 6962 §2.1 as it is written there, recursive and over all leaves: what the rest is compared with.</summary>
internal static class NaiveTree
{
    public static byte[] Root(ReadOnlySpan<byte[]> data)
    {
        if (data.Length <= 1)
        {
            return SHA256.HashData(data.Length == 0 ? [] : [0, .. data[0]]);
        }

        var k = Split(data.Length);
        return SHA256.HashData([1, .. Root(data[..k]), .. Root(data[k..])]);
    }

    /// <summary>PATH(m, D[n]).</summary>
    public static List<MerkleHash> Path(int m, ReadOnlySpan<byte[]> data)
    {
        if (data.Length == 1)
        {
            return [];
        }

        var k = Split(data.Length);
        return m < k
            ? [.. Path(m, data[..k]), MerkleHash.FromBytes(Root(data[k..]))]
            : [.. Path(m - k, data[k..]), MerkleHash.FromBytes(Root(data[..k]))];
    }

    /// <summary>PROOF(m, D[n]).</summary>
    public static List<MerkleHash> Proof(int m, ReadOnlySpan<byte[]> data) => SubProof(m, data, isWhole: true);

    private static List<MerkleHash> SubProof(int m, ReadOnlySpan<byte[]> data, bool isWhole)
    {
        if (m == data.Length)
        {
            return isWhole ? [] : [MerkleHash.FromBytes(Root(data))];
        }

        var k = Split(data.Length);
        return m <= k
            ? [.. SubProof(m, data[..k], isWhole), MerkleHash.FromBytes(Root(data[k..]))]
            : [.. SubProof(m - k, data[k..], isWhole: false), MerkleHash.FromBytes(Root(data[..k]))];
    }

    private static int Split(int n)
    {
        var k = 1;
        while (k * 2 < n)
        {
            k *= 2;
        }

        return k;
    }
}
