using System.Security.Cryptography;
using Grains.Orders.Audit;
using Silo.Storage;
using Xunit;

namespace Unit.Orders.Audit;

public sealed class AuditHeadTests : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 9, 0, 0, 123, TimeSpan.Zero);

    private readonly AuditKey _key = AuditKey.Create();
    private readonly string _folder = Directory.CreateTempSubdirectory("audit-key").FullName;

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void AHeadFileIsReadAsItWasWrittenAndVerifiesWithThePublicKeyAlone()
    {
        var text = _key.Sign(Head()).ToJson();
        var head = SignedAuditHead.FromJson(text);

        Assert.Equal(Head().Roots, head.Head.Roots);
        Assert.Equal(At, head.Head.At);
        Assert.Equal(text, head.ToJson());
        Assert.True(AuditPublicKey.FromPem(_key.PublicKey.ToPem()).Verify(head));
    }

    [Theory]
    [InlineData("\"size\": 7", "\"size\": 8")]
    [InlineData("\"partition\": 4", "\"partition\": 5")]
    [InlineData("09:00:00.123", "09:00:00.124")]
    [InlineData("6e340b9c", "6e340b9d")]
    public void AHeadFileThatWasChangedDoesNotVerify(string from, string to)
    {
        var text = _key.Sign(Head()).ToJson();
        Assert.Contains(from, text, StringComparison.Ordinal);

        Assert.False(_key.PublicKey.Verify(SignedAuditHead.FromJson(text.Replace(from, to, StringComparison.Ordinal))));
    }

    [Fact]
    public void ASignatureIsOfItsKeyAndItsHead()
    {
        var head = _key.Sign(Head());
        using var other = AuditKey.Create();

        Assert.False(other.PublicKey.Verify(head));
        Assert.False(other.PublicKey.Verify(head with { KeyId = other.PublicKey.Id }));
        Assert.False(_key.PublicKey.Verify(head with { Signature = new byte[64] }));
        Assert.False(_key.PublicKey.Verify(head with { Signature = ReadOnlyMemory<byte>.Empty }));
        Assert.Equal(64, head.Signature.Length);
    }

    [Theory]
    [InlineData("", "This is not a head of the audit")]
    [InlineData("null", "This is not a head of the audit: it is null.")]
    [InlineData("{}", "This is not a head of the audit")]
    [InlineData(
        """{"format":"x","at":"2026-11-23T09:00:00Z","partitions":[],"keyId":"","algorithm":"","signature":""}""",
        "A head file's format is \"orders-audit-head/1\"; this one's is \"x\"."
    )]
    [InlineData(
        """{"format":"orders-audit-head/1","at":"2026-11-23T09:00:00Z","partitions":[{"partition":0,"size":1,"root":"ab"}],"keyId":"","algorithm":"","signature":""}""",
        "The head file is damaged: A hash is 64 lower-case hexadecimal digits; this is \"ab\"."
    )]
    [InlineData(
        """{"format":"orders-audit-head/1","at":"2026-11-23T09:00:00Z","partitions":[{"partition":0,"size":-1,"root":"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"}],"keyId":"","algorithm":"","signature":""}""",
        "The head file is damaged: A head has each partition once"
    )]
    [InlineData(
        """{"format":"orders-audit-head/1","at":"2026-11-23T09:00:00Z","partitions":[],"keyId":"","algorithm":"","signature":"%"}""",
        "The head file is damaged"
    )]
    [InlineData(
        """{"format":"orders-audit-head/1","at":"2026-11-23T09:00:00Z","partitions":[null],"keyId":"","algorithm":"","signature":""}""",
        "The head file is damaged"
    )]
    [InlineData(
        """{"format":"orders-audit-head/1","at":"2026-11-23T09:00:00Z","partitions":null,"keyId":null,"algorithm":"","signature":null}""",
        ""
    )]
    public void AFileThatIsNoHeadIsRefusedInASentence(string text, string start) =>
        Assert.StartsWith(start, Assert.Throws<FormatException>(() => SignedAuditHead.FromJson(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void WhatIsSignedIsTheseBytesInEveryVersion() =>
        Assert.Equal(
            "00000013"
                + Convert.ToHexStringLower("orders audit head 1"u8)
                + "00000011"
                + Convert.ToHexStringLower("ecdsa-p256-sha256"u8)
                + "00000002"
                + Convert.ToHexStringLower("ab"u8)
                + At.UtcTicks.ToString("x16", System.Globalization.CultureInfo.InvariantCulture)
                + "00000002"
                + "00000001"
                + "0000000000000000"
                + "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
                + "00000004"
                + "0000000000000007"
                + "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            Convert.ToHexStringLower(Head().Encode("ab"))
        );

    [Fact]
    public void AHeadHasEachPartitionOnce()
    {
        Assert.Throws<ArgumentException>(() => new AuditHead(At, [new(1, 0, MerkleHash.Empty), new(1, 0, MerkleHash.Empty)]));
        Assert.Throws<ArgumentException>(() => new AuditHead(At, [new(1, 0, MerkleHash.Leaf([]))]));
        Assert.Equal(
            [1, 4],
            new AuditHead(At, [new(4, 0, MerkleHash.Empty), new(1, 0, MerkleHash.Empty)]).Roots.Select(root => root.Partition)
        );
        Assert.Null(Head().Of(2));
        Assert.Equal(7, Head().Of(4)?.Size);
    }

    [Fact]
    public void AKeyIsReadAsItWasWritten()
    {
        using var read = AuditKey.FromPem(_key.ToPem());

        Assert.Equal(_key.PublicKey.Id, read.PublicKey.Id);
        Assert.Equal(32, _key.PublicKey.Id.Length);
        Assert.True(_key.PublicKey.Verify(read.Sign(Head())));
    }

    [Fact]
    public void AKeyThatOpensslMadeIsTaken()
    {
        using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = AuditKey.FromPem(made.ExportECPrivateKeyPem()); // "EC PRIVATE KEY", as "openssl ecparam -genkey" writes it.

        Assert.True(key.PublicKey.Verify(key.Sign(Head())));
    }

    [Fact]
    public void AKeyOfAnotherKindIsRefusedInASentence()
    {
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var rsa = RSA.Create(2048);

        Assert.Contains(
            "P-256; this is one on",
            Assert.Throws<FormatException>(() => AuditKey.FromPem(curve.ExportPkcs8PrivateKeyPem())).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<FormatException>(() => AuditKey.FromPem(rsa.ExportPkcs8PrivateKeyPem()));
        Assert.Throws<FormatException>(() => AuditKey.FromPem(_key.PublicKey.ToPem()));
        Assert.Throws<FormatException>(() => AuditKey.FromPem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"));
        Assert.Throws<FormatException>(() => AuditPublicKey.FromPem(_key.ToPem()));
        Assert.Throws<FormatException>(() => AuditPublicKey.FromPem(_key.PublicKey.ToPem() + _key.ToPem()));
        Assert.Throws<FormatException>(() => AuditPublicKey.FromPem(""));
    }

    [Fact]
    public void TheKeyFileIsMadeAtFirstUseForItsOwnerOnlyAndKept()
    {
        var path = Path.Combine(_folder, "deeper", "audit.pem");
        using var made = AuditKeyFile.Open(path, OperatingSystemCalls.NameIfAbsent);
        using var again = AuditKeyFile.Open(path, OperatingSystemCalls.NameIfAbsent);

        Assert.Equal(made.PublicKey.Id, again.PublicKey.Id);
        Assert.Equal(path, Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!)));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public async Task OfManyWhoMakeTheKeyAtOnceAllGetTheSame()
    {
        var path = Path.Combine(_folder, "audit.pem");
        var ids = await Task.WhenAll(
            Enumerable
                .Range(0, 16)
                .Select(_ =>
                    Task.Run(() =>
                    {
                        using var key = AuditKeyFile.Open(path, OperatingSystemCalls.NameIfAbsent);
                        return key.PublicKey.Id;
                    })
                )
        );

        Assert.Single(ids.Distinct());
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void AKeyFileWithSomethingElseIsRefusedByName()
    {
        var path = Path.Combine(_folder, "audit.pem");
        File.WriteAllText(path, "hello");

        Assert.StartsWith(
            $"\"{path}\": The audit's key is a private key in PEM",
            Assert.Throws<FormatException>(() => AuditKeyFile.Open(path, OperatingSystemCalls.NameIfAbsent)).Message,
            StringComparison.Ordinal
        );
        Assert.Equal("hello", File.ReadAllText(path));
        Assert.Throws<FileNotFoundException>(() => AuditKeyFile.Read(Path.Combine(_folder, "none.pem")));
    }

    private static AuditHead Head() =>
        new(
            At,
            [new(4, 7, MerkleHash.Parse("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")), new(1, 0, MerkleHash.Empty)]
        );
}
