using System.Collections.Immutable;
using System.Globalization;
using Grains.Orders.Audit;
using Xunit;

namespace Unit.Orders.Audit;

/// <summary>The published values, from tests/Data/audit/rfc6962.txt.</summary>
public sealed class Rfc6962Tests
{
    private static readonly string[][] Lines =
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Data", "audit", "rfc6962.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(' ')),
    ];

    private static readonly byte[][] Leaves = [.. Of("leaf").Select(line => line[1] == "-" ? [] : Convert.FromHexString(line[1]))];

    private static readonly Dictionary<long, MerkleHash> Roots = Of("root")
        .ToDictionary(line => Number(line[1]), line => MerkleHash.Parse(line[2]));

    public static TheoryData<string> Inclusions => [.. Of("inclusion").Select(line => string.Join(' ', line))];

    public static TheoryData<string> Consistencies => [.. Of("consistency").Select(line => string.Join(' ', line))];

    [Fact]
    public void ATreeHasThePublishedRootAtEverySize()
    {
        Assert.Equal(8, Leaves.Length);
        Assert.Equal(9, Roots.Count);
        var tree = new MerkleTree();
        Assert.Equal(Roots[0], tree.Root);
        foreach (var leaf in Leaves)
        {
            tree.Append(MerkleHash.Leaf(leaf));
            Assert.Equal(Roots[tree.Size], tree.Root);
        }
    }

    [Theory]
    [MemberData(nameof(Inclusions))]
    public async Task AnInclusionProofIsThePublishedOneAndVerifies(string text)
    {
        var line = text.Split(' ');
        var (index, size) = (Number(line[1]), Number(line[2]));

        var proof = await Reader().Inclusion(index, size, TestContext.Current.CancellationToken);

        Assert.Equal(PathOf(line), proof.Path);
        Assert.True(proof.Verify(MerkleHash.Leaf(Leaves[index]), Roots[size]));
    }

    [Theory]
    [MemberData(nameof(Consistencies))]
    public async Task AConsistencyProofIsThePublishedOneAndVerifies(string text)
    {
        var line = text.Split(' ');
        var (first, second) = (Number(line[1]), Number(line[2]));

        var proof = await Reader().Consistency(first, second, TestContext.Current.CancellationToken);

        Assert.Equal(PathOf(line), proof.Path);
        Assert.True(proof.Verify(Roots[first], Roots[second]));
    }

    [Theory]
    [MemberData(nameof(Inclusions))]
    public void AnInclusionProofThatWasTamperedWithDoesNotVerify(string text)
    {
        var line = text.Split(' ');
        var proof = new InclusionProof(Number(line[1]), Number(line[2]), PathOf(line));
        var (leaf, root) = (MerkleHash.Leaf(Leaves[proof.Index]), Roots[proof.Size]);
        Assert.True(proof.Verify(leaf, root));

        Assert.False(proof.Verify(root, leaf) && leaf != root);
        Assert.False(proof.Verify(leaf, MerkleHash.Empty));
        Assert.False(proof.Verify(Flip(leaf), root));
        Assert.False(proof.Verify(leaf, Flip(root)));
        Assert.False((proof with { Index = proof.Index - 1 }).Verify(leaf, root));
        Assert.False((proof with { Index = proof.Index + 1 }).Verify(leaf, root));
        Assert.False((proof with { Index = proof.Index ^ 2 }).Verify(leaf, root));
        Assert.False((proof with { Index = proof.Size }).Verify(leaf, root));
        Assert.False((proof with { Size = proof.Size * 2 }).Verify(leaf, root));
        Assert.False((proof with { Size = proof.Size / 2 }).Verify(leaf, root));
        Assert.False((proof with { Path = proof.Path.Add(root) }).Verify(leaf, root));
        Assert.False((proof with { Path = proof.Path.Insert(0, root) }).Verify(leaf, root));
        for (var i = 0; i < proof.Path.Length; i++)
        {
            Assert.False((proof with { Path = proof.Path.SetItem(i, Flip(proof.Path[i])) }).Verify(leaf, root));
            Assert.False((proof with { Path = proof.Path.RemoveAt(i) }).Verify(leaf, root));
        }
    }

    [Theory]
    [MemberData(nameof(Consistencies))]
    public void AConsistencyProofThatWasTamperedWithDoesNotVerify(string text)
    {
        var line = text.Split(' ');
        var proof = new ConsistencyProof(Number(line[1]), Number(line[2]), PathOf(line));
        var (first, second) = (Roots[proof.First], Roots[proof.Second]);
        Assert.True(proof.Verify(first, second));

        Assert.False(proof.Verify(Flip(first), second));
        Assert.False(proof.Verify(first, Flip(second)));
        Assert.False(proof.Verify(second, first) && first != second);
        Assert.False((proof with { First = proof.First - 1 }).Verify(first, second));
        Assert.False((proof with { First = proof.First + 1 }).Verify(first, second));
        Assert.False((proof with { First = proof.First ^ 2 }).Verify(first, second));
        Assert.False((proof with { Second = proof.Second * 2 }).Verify(first, second));
        Assert.False((proof with { Second = proof.Second / 2 }).Verify(first, second));
        foreach (var extra in (MerkleHash[])[first, second, MerkleHash.Empty])
        {
            Assert.False((proof with { Path = proof.Path.Add(extra) }).Verify(first, second));
            Assert.False((proof with { Path = proof.Path.Insert(0, extra) }).Verify(first, second));
        }

        for (var i = 0; i < proof.Path.Length; i++)
        {
            Assert.False((proof with { Path = proof.Path.SetItem(i, Flip(proof.Path[i])) }).Verify(first, second));
            Assert.False((proof with { Path = proof.Path.RemoveAt(i) }).Verify(first, second));
        }
    }

    [Fact]
    public void TheEmptyTreeIsTheBeginningOfEveryTreeAndOnlyByAnEmptyPath()
    {
        Assert.True(new ConsistencyProof(0, 0, []).Verify(MerkleHash.Empty, MerkleHash.Empty));
        Assert.True(new ConsistencyProof(0, 8, []).Verify(MerkleHash.Empty, Roots[8]));
        Assert.False(new ConsistencyProof(0, 8, []).Verify(Roots[1], Roots[8]));
        Assert.False(new ConsistencyProof(0, 0, []).Verify(Roots[1], Roots[1]));
        Assert.False(new ConsistencyProof(0, 8, [MerkleHash.Empty]).Verify(MerkleHash.Empty, Roots[8]));
        Assert.False(new ConsistencyProof(1, 0, []).Verify(Roots[1], MerkleHash.Empty));
        Assert.False(new ConsistencyProof(-1, 0, []).Verify(MerkleHash.Empty, MerkleHash.Empty));
        Assert.False(new InclusionProof(0, 0, []).Verify(MerkleHash.Empty, MerkleHash.Empty));
    }

    private static TileReader Reader()
    {
        var tiles = new TilesInMemory();
        tiles.Put(new TileWriter().Append([.. Leaves.Select(leaf => MerkleHash.Leaf(leaf))]));
        return new(tiles);
    }

    private static IEnumerable<string[]> Of(string what) => Lines.Where(line => line[0] == what);

    private static ImmutableArray<MerkleHash> PathOf(string[] line) => [.. line[3..].Where(hash => hash != "-").Select(MerkleHash.Parse)];

    private static MerkleHash Flip(MerkleHash hash)
    {
        var bytes = hash.ToBytes();
        bytes[0] ^= 8;
        return MerkleHash.FromBytes(bytes);
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
