using Grains.Orders.Audit;
using Xunit;

namespace Unit.Orders.Audit;

/// <summary>What the audit gives away, checked as somebody does who has the file, the key, and nothing else.</summary>
public sealed class AuditFileTests : IDisposable
{
    private readonly AuditKey _key = AuditKey.Create();
    private readonly AuditKey _other = AuditKey.Create();
    private readonly AuditInMemory _audit = new();
    private readonly SignedAuditHead _older;
    private readonly SignedAuditHead _newer;

    public AuditFileTests()
    {
        _audit.Append(0, 10);
        _audit.Append(2, 300);
        _older = _key.Sign(_audit.Head(TimeSpan.FromMinutes(1)));
        _audit.Append(2, 123);
        _audit.Append(3, 1);
        _newer = _key.Sign(_audit.Head(TimeSpan.FromMinutes(2)));
    }

    public void Dispose()
    {
        _key.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task AProofOfConsistencyHoldsAndSurvivesItsFile()
    {
        var text = (await Consistency(_older, _newer)).ToJson();
        var found = AuditFile.Check(text, [_key.PublicKey]);

        Assert.Equal(("consistency", null, false), (found.Kind, found.Fault, found.IsOwnKey));
        Assert.Equal(text, AuditConsistency.FromJson(text).ToJson());
    }

    [Fact]
    public async Task AHistoryThatWasChangedIsNotConsistent()
    {
        _audit[2].Change(5, entry => entry with { Type = "refunded" });
        _audit[2].Rebuild();
        var forged = _key.Sign(_audit.Head(TimeSpan.FromMinutes(3)));

        Assert.Equal(
            "Partition 2: the 300 entries under the older head are not proven to be the first of the 423 under the newer one.",
            (await Consistency(_older, forged)).Check([_key.PublicKey])
        );
    }

    [Fact]
    public async Task AProofThatLeavesAPartitionOutSaysWhich()
    {
        var good = await Consistency(_older, _newer);
        Assert.Equal(
            "Partition 2 has 0 proofs; it needs one.",
            (good with { Partitions = [.. good.Partitions.Where(part => part.Partition != 2)] }).Check([_key.PublicKey])
        );
        Assert.Equal(
            "Partition 2 has 2 proofs; it needs one.",
            (good with { Partitions = [.. good.Partitions, good.Partitions[1]] }).Check([_key.PublicKey])
        );
    }

    [Fact]
    public async Task HeadsThatAreExchangedAreNoProof() =>
        Assert.StartsWith(
            "The newer head, of ",
            (await Consistency(_older, _newer) with { Older = _newer, Newer = _older }).Check([_key.PublicKey]),
            StringComparison.Ordinal
        );

    [Fact]
    public async Task AProofUnderAnotherKeyDoesNotHold()
    {
        var found = AuditFile.Check((await Consistency(_older, _newer)).ToJson(), [_other.PublicKey]);
        Assert.Contains(_key.PublicKey.Id, found.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutAKeyTheFilesOwnIsTakenAndItIsSaidSo()
    {
        var proof = await Consistency(_older, _newer) with { PublicKey = _key.PublicKey.ToPem() };
        var found = AuditFile.Check(proof.ToJson(), []);
        Assert.Equal((null, true), (found.Fault, found.IsOwnKey));
        Assert.Throws<FormatException>(() => AuditFile.Check((proof with { PublicKey = null }).ToJson(), []));
    }

    [Fact]
    public void AHeadIsCheckedByItsSignature()
    {
        Assert.Null(AuditFile.Check(_newer.ToJson(), [_key.PublicKey]).Fault);
        var changed = new AuditHead(_newer.Head.At.AddTicks(1), _newer.Head.Roots);
        Assert.NotNull(AuditFile.Check((_newer with { Head = changed }).ToJson(), [_key.PublicKey]).Fault);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no file of ours")]
    [InlineData("{}")]
    [InlineData("{\"format\":\"something/1\"}")]
    [InlineData("{\"format\":7}")]
    [InlineData("{")]
    public void WhatIsNoFileOfTheAuditIsRefused(string text) =>
        Assert.Throws<FormatException>(() => AuditFile.Check(text, [_key.PublicKey]));

    /// <summary>c2sp.org/tlog-checkpoint and c2sp.org/signed-note: lines, key id and signature are built here by hand.</summary>
    [Fact]
    public void ACheckpointHasTheFormOfC2sp()
    {
        var root = _newer.Head.Of(2)!.Value;
        var note = AuditCheckpoint.Of(_key.PublicKey, root).Sign(_key);
        var lines = note.Split('\n');
        var origin = $"orders-audit/{_key.PublicKey.Id}/2";

        Assert.Equal([origin, "423", Convert.ToBase64String(root.Root.ToBytes()), ""], lines[..4]);
        Assert.StartsWith($"\u2014 {origin} ", lines[4], StringComparison.Ordinal);
        Assert.Equal("", lines[5]);
        using var key = System.Security.Cryptography.ECDsa.Create();
        key.ImportFromPem(_key.PublicKey.ToPem());
        var signature = Convert.FromBase64String(lines[4].Split(' ')[2]);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData(key.ExportSubjectPublicKeyInfo())[..4], signature[..4]);
        Assert.True(
            key.VerifyData(
                System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines[..3]) + "\n"),
                signature[4..],
                System.Security.Cryptography.HashAlgorithmName.SHA256,
                System.Security.Cryptography.DSASignatureFormat.Rfc3279DerSequence
            )
        );
    }

    [Fact]
    public void ACheckpointIsReadBackAndItsPartitionIsKnown()
    {
        var checkpoint = AuditCheckpoint.Of(_key.PublicKey, _newer.Head.Of(2)!.Value);
        var read = AuditCheckpoint.Read(checkpoint.Sign(_key), [_key.PublicKey], out var error);
        Assert.Equal((checkpoint, null, 2), (read, error, read!.Partition));
    }

    [Fact]
    public void ASignatureOfAWitnessIsPassedOver()
    {
        var note = AuditCheckpoint.Of(_key.PublicKey, _newer.Head.Of(2)!.Value).Sign(_key);
        var cosigned = note + "\u2014 witness.example/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZC\n";
        Assert.Null(AuditFile.Check(cosigned, [_key.PublicKey]).Fault);
    }

    [Fact]
    public void ACheckpointThatWasChangedOrIsNotSignedDoesNotHold()
    {
        var note = AuditCheckpoint.Of(_key.PublicKey, _newer.Head.Of(2)!.Value).Sign(_key);
        Assert.Contains(
            "was changed",
            AuditFile.Check(note.Replace("\n423\n", "\n422\n", StringComparison.Ordinal), [_key.PublicKey]).Fault,
            StringComparison.Ordinal
        );
        Assert.Equal("The checkpoint is not signed by a key that was given.", AuditFile.Check(note, [_other.PublicKey]).Fault);
        Assert.Throws<FormatException>(() =>
            AuditFile.Check(note.Replace("\n423\n", "\n0423\n", StringComparison.Ordinal), [_key.PublicKey])
        );
    }

    private async Task<AuditConsistency> Consistency(SignedAuditHead older, SignedAuditHead newer)
    {
        var proofs = new List<PartitionConsistency>();
        foreach (var root in older.Head.Roots)
        {
            var size = newer.Head.Of(root.Partition)!.Value.Size;
            proofs.Add(new(root.Partition, await new TileReader(_audit.Tiles(root.Partition)).Consistency(root.Size, size)));
        }

        return new(older, newer, [.. proofs]);
    }
}
