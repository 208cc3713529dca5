using CsCheck;
using Grains.Orders.Audit;
using Grains.Storage;
using Xunit;

namespace Unit.Orders.Audit;

public sealed class MerkleTreeTests
{
    /// <summary>Beyond two full tiles of level 1, so that level 2 has two hashes.</summary>
    private const int Large = (2 * 65_536) + 300;

    [Fact]
    public async Task RootsAndProofsAreThoseOfTheRecursiveDefinitionForAllSizesUpToSeventy()
    {
        var data = Enumerable.Range(0, 70).Select(i => new[] { (byte)i, (byte)(i * 7) }).ToArray();
        var (_, tiles) = Build(data.Select(one => MerkleHash.Leaf(one)));
        var reader = new TileReader(tiles);
        for (var n = 0; n <= data.Length; n++)
        {
            var root = MerkleHash.FromBytes(NaiveTree.Root(data.AsSpan(0, n)));
            Assert.Equal(root, await reader.Root(n, Cancel));
            for (var m = 0; m < n; m++)
            {
                var inclusion = await reader.Inclusion(m, n, Cancel);
                Assert.Equal(NaiveTree.Path(m, data.AsSpan(0, n)), inclusion.Path);
                Assert.True(inclusion.Verify(MerkleHash.Leaf(data[m]), root));
                Assert.False(inclusion.Verify(MerkleHash.Leaf(data[(m + 1) % 70]), root));

                var consistency = await reader.Consistency(m, n, Cancel);
                Assert.Equal(m == 0 ? [] : NaiveTree.Proof(m, data.AsSpan(0, n)), consistency.Path);
                Assert.True(consistency.Verify(MerkleHash.FromBytes(NaiveTree.Root(data.AsSpan(0, m))), root));
            }
        }
    }

    [Fact]
    public void RootsAndProofsAreThoseOfTheRecursiveDefinitionForRandomSizes() =>
        Gen.Select(Gen.Int[1, 1200], Gen.Int[0, 1199], Gen.Int[1, 1200], Gen.Byte.Array[0, 40])
            .Sample(
                (n, index, first, seed) =>
                {
                    (index, first) = (index % n, Math.Min(first, n));
                    var data = Enumerable.Range(0, n).Select(i => (byte[])[.. seed, .. BitConverter.GetBytes(i)]).ToArray();
                    var (writer, tiles) = Build(data.Select(one => MerkleHash.Leaf(one)));
                    var reader = new TileReader(tiles);
                    var root = MerkleHash.FromBytes(NaiveTree.Root(data));
                    Assert.Equal(root, writer.Root);
                    Assert.Equal(NaiveTree.Path(index, data), Now(reader.Inclusion(index, n)).Path);
                    Assert.Equal(NaiveTree.Proof(first, data), Now(reader.Consistency(first, n)).Path);
                    Assert.True(Now(reader.Inclusion(index, n)).Verify(MerkleHash.Leaf(data[index]), root));
                    Assert.True(
                        Now(reader.Consistency(first, n)).Verify(MerkleHash.FromBytes(NaiveTree.Root(data.AsSpan(0, first))), root)
                    );
                },
                iter: 100
            );

    [Fact]
    public void LargeTreesProveEveryLeafAndEverySizeFromAFewRows()
    {
        var (writer, tiles) = Build(Leaves(Large));
        var leaves = Leaves(Large).ToList();
        var reader = new TileReader(tiles);
        foreach (var index in (int[])[0, 1, 255, 256, 65_535, 65_536, 100_000, 131_071, 131_072, Large - 1])
        {
            tiles.ForgetReads();
            Assert.True(Now(reader.Inclusion(index, Large, Cancel)).Verify(leaves[index], writer.Root));
            Assert.InRange(tiles.Reads, 1, 6);
            Assert.Equal(leaves[index], Now(reader.Leaf(index, Cancel)));
        }

        var tree = new MerkleTree();
        for (var size = 1; size < Large; size++)
        {
            tree.Append(leaves[size - 1]);
            if (size % 9_973 == 0 || size is 1 or 255 or 256 or 257 or 65_536 or 65_537 or 131_072)
            {
                tiles.ForgetReads();
                Assert.True(Now(reader.Consistency(size, Large, Cancel)).Verify(tree.Root, writer.Root));
                Assert.InRange(tiles.Reads, 1, 6);
                Assert.Equal(tree.Root, Now(reader.Root(size, Cancel)));
            }
        }
    }

    [Fact]
    public void HowTheLeavesAreSplitIntoCommitsChangesNoTile() =>
        Gen.Int[1, 700]
            .Array[1, 12]
            .Sample(
                commits =>
                {
                    var (whole, expected) = Build(Leaves(commits.Sum()));
                    var writer = new TileWriter();
                    var tiles = new TilesInMemory();
                    var left = Leaves(commits.Sum()).ToArray().AsSpan();
                    foreach (var count in commits)
                    {
                        var promised = writer.RowsFor(count);
                        var rows = writer.Append(left[..count]);
                        left = left[count..];
                        Assert.Equal(promised, rows.Count);
                        Assert.Equal(rows.Count, rows.Select(row => row.Key).Distinct().Count());
                        tiles.Put(rows);
                        writer = Now(TileWriter.Restore(MerkleTree.FromBytes(writer.Frontier()), tiles)); // As after a crash.
                    }

                    Assert.Equal(whole.Root, writer.Root);
                    Assert.Equal(expected.Rows, tiles.Rows);
                },
                iter: 60
            );

    [Fact]
    public void ACommitOfLeavesFitsTheStore()
    {
        var writer = new TileWriter();
        var most = 0;
        while (writer.Size < Large)
        {
            writer.Append(Leaves(255).ToArray()); // So that the commits begin at every place of a tile.
            var rows = writer.Append(Leaves(TileWriter.MaxLeaves).ToArray());
            most = Math.Max(most, rows.Count);
            Assert.All(rows, row => Assert.True(StoreLimits.IsKey(row.Key) && row.Bytes.Length is > 0 and <= TileId.MaxBytes));
            Assert.True(rows.Sum(row => row.Bytes.Length) <= 200 * 1024);
        }

        Assert.InRange(most, 1, TileWriter.MaxRows);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Append(new MerkleHash[TileWriter.MaxLeaves + 1]));
        Assert.Equal("tile.0.00000000000000", new TileId(0, 0).Key);
        Assert.Equal("tile.1.0000000000abcd", new TileId(1, 0xabcd).Key);
    }

    [Fact]
    public void AFrontierIsReadAsItWasWrittenAndGoesOnAsIfNothingHadBeen()
    {
        var tree = new MerkleTree();
        foreach (var leaf in Leaves(300))
        {
            tree = MerkleTree.FromBytes(tree.ToBytes());
            tree.Append(leaf);
        }

        Assert.Equal(Build(Leaves(300)).Writer.Root, tree.Root);
        Assert.Equal(9 + (4 * 32), tree.ToBytes().Length); // 300 = 256 + 32 + 8 + 4.
    }

    [Fact]
    public void ACopyGoesItsOwnWay()
    {
        var tree = new MerkleTree();
        tree.Append(Leaves(1).First());
        var root = tree.Root;
        var copy = tree.Copy();
        copy.Append(Leaves(1).First());

        Assert.Equal(root, tree.Root);
        Assert.Equal(2, copy.Size);
    }

    [Fact]
    public void AFrontierOfAnotherLengthOrFormatIsRefused()
    {
        var (writer, _) = Build(Leaves(5));
        var bytes = writer.Frontier();
        Assert.Throws<FormatException>(() => MerkleTree.FromBytes([]));
        Assert.Throws<FormatException>(() => MerkleTree.FromBytes([2, .. bytes.AsSpan(1)]));
        Assert.Throws<FormatException>(() => MerkleTree.FromBytes(bytes.AsSpan(1)));
        Assert.Throws<FormatException>(() => MerkleTree.FromBytes([.. bytes, 0]));
        Assert.Throws<FormatException>(() => MerkleTree.FromBytes([1, 255, 255, 255, 255, 255, 255, 255, 255]));
    }

    [Fact]
    public async Task AWriterDoesNotGoOnFromTilesOfAnotherTree()
    {
        var (writer, tiles) = Build(Leaves(600));
        var tree = MerkleTree.FromBytes(writer.Frontier());
        var key = new TileId(0, 2).Key;
        var good = tiles.Rows[key];

        tiles.Rows[key] = [.. good.AsSpan(0, good.Length - 1), (byte)(good[^1] ^ 1)];
        var wrong = await Assert.ThrowsAsync<InvalidDataException>(() => TileWriter.Restore(tree, tiles, Cancel).AsTask());
        Assert.Equal("Tile tile.0.00000000000002 is not the one that the tree of 600 leaves was stored with.", wrong.Message);

        tiles.Rows[key] = good[..^32];
        await Assert.ThrowsAsync<InvalidDataException>(() => TileWriter.Restore(tree, tiles, Cancel).AsTask());

        tiles.Rows.Remove(key);
        await Assert.ThrowsAsync<InvalidDataException>(() => TileWriter.Restore(tree, tiles, Cancel).AsTask());
    }

    [Fact]
    public async Task AProofFromATileThatWasChangedDoesNotVerify()
    {
        var (writer, tiles) = Build(Leaves(600));
        var reader = new TileReader(tiles);
        tiles.Rows[new TileId(0, 0).Key][5 * 32] ^= 1;

        Assert.False((await reader.Inclusion(4, 600, Cancel)).Verify(Leaves(600).ElementAt(4), writer.Root));
        Assert.True((await reader.Inclusion(300, 600, Cancel)).Verify(Leaves(600).ElementAt(300), writer.Root));
        await Assert.ThrowsAsync<InvalidDataException>(() => reader.Inclusion(4, 700, Cancel).AsTask());
    }

    [Fact]
    public void AHashHasOneText()
    {
        var hash = Leaves(1).First();
        Assert.Equal(hash, MerkleHash.Parse(hash.ToString()));
        Assert.False(MerkleHash.TryParse(hash.ToString().ToUpperInvariant(), out _));
        Assert.False(MerkleHash.TryParse(hash.ToString()[1..], out _));
        Assert.False(MerkleHash.TryParse(null, out _));
        Assert.Throws<ArgumentException>(() => MerkleHash.FromBytes(new byte[31]));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static IEnumerable<MerkleHash> Leaves(int count) =>
        Enumerable.Range(0, count).Select(i => MerkleHash.Leaf(BitConverter.GetBytes(i)));

    private static (TileWriter Writer, TilesInMemory Tiles) Build(IEnumerable<MerkleHash> leaves)
    {
        var writer = new TileWriter();
        var tiles = new TilesInMemory();
        foreach (var commit in leaves.Chunk(TileWriter.MaxLeaves))
        {
            tiles.Put(writer.Append(commit));
        }

        return (writer, tiles);
    }

    /// <summary>Tiles in memory answer at once.</summary>
    private static T Now<T>(ValueTask<T> task)
    {
        Assert.True(task.IsCompleted);
        return task.GetAwaiter().GetResult();
    }
}
