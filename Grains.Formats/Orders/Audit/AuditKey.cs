using System.Security.Cryptography;

namespace Grains.Orders.Audit;

/// <summary>
/// The key that signs heads: ECDSA on P-256 with SHA-256 (FIPS 186-5), signatures as r ‖ s of 64 bytes (IEEE P1363).
/// </summary>
/// <remarks>Ed25519 would be the first choice; .NET 10 does not offer it, and a library for it alone would be one more that must be
/// trusted. Heads name their algorithm, so another can come.
/// Thread-safe.</remarks>
public sealed class AuditKey : IDisposable
{
    /// <summary>The algorithm's name in a head.</summary>
    public const string Algorithm = "ecdsa-p256-sha256";

    private readonly Lock _one = new(); // The platform does not promise that one key object can sign twice at a time.
    private readonly ECDsa _key;

    private AuditKey(ECDsa key)
    {
        _key = key;
        PublicKey = AuditPublicKey.From(key.ExportSubjectPublicKeyInfo());
    }

    public AuditPublicKey PublicKey { get; }

    /// <summary>A new key from the system's source of secrets.</summary>
    public static AuditKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Reads a private key in PEM: PKCS #8 ("PRIVATE KEY") or SEC 1 ("EC PRIVATE KEY"), not encrypted.</summary>
    /// <exception cref="FormatException">It is something else, or of another curve.</exception>
    public static AuditKey FromPem(string pem)
    {
        if (!pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            throw new FormatException("The audit's key is a private key in PEM (\"-----BEGIN PRIVATE KEY-----\"); this text holds none.");
        }

        return new(AuditPublicKey.ImportPem(pem));
    }

    /// <summary>PKCS #8 in PEM. Whoever has it can sign in this log's name.</summary>
    public string ToPem() => _key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>Signs a head over all partitions.</summary>
    public SignedAuditHead Sign(AuditHead head)
    {
        lock (_one)
        {
            var signature = _key.SignData(
                head.Encode(PublicKey.Id),
                HashAlgorithmName.SHA256,
                DSASignatureFormat.IeeeP1363FixedFieldConcatenation
            );
            return new(head, PublicKey.Id, Algorithm, signature);
        }
    }

    /// <summary>Signs a note (c2sp.org/signed-note, type 0x02): ECDSA over its text, in ASN.1 DER.</summary>
    internal byte[] SignNote(ReadOnlySpan<byte> text)
    {
        lock (_one)
        {
            return _key.SignData(text, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
    }

    public void Dispose() => _key.Dispose();
}

/// <summary>What is needed to check heads, anywhere and offline. Thread-safe.</summary>
public sealed class AuditPublicKey
{
    private readonly byte[] _info;

    private AuditPublicKey(byte[] info)
    {
        _info = info;
        Id = Convert.ToHexStringLower(SHA256.HashData(info).AsSpan(0, 16));
    }

    /// <summary>
    /// Names the key: the first 16 bytes of the SHA-256 of its SubjectPublicKeyInfo (RFC 5280), as 32 hexadecimal digits.
    /// </summary>
    public string Id { get; }

    /// <summary>
    /// The key's id in signed notes (c2sp.org/signed-note, type 0x02): the first four bytes of the SHA-256 of its SubjectPublicKeyInfo.
    /// </summary>
    internal byte[] NoteId => SHA256.HashData(_info)[..4];

    /// <summary>True when the note's text was signed with this key's private half.</summary>
    internal bool VerifyNote(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(_info, out _);
        return key.VerifyData(text, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>
    /// Reads a public key in PEM ("PUBLIC KEY"). A private key is refused: it should not be where only the public one is needed.
    /// </summary>
    /// <exception cref="FormatException">It is something else, or of another curve.</exception>
    public static AuditPublicKey FromPem(string pem)
    {
        if (
            !pem.Contains("-----BEGIN PUBLIC KEY-----", StringComparison.Ordinal)
            || pem.Contains("PRIVATE KEY-----", StringComparison.Ordinal)
        )
        {
            throw new FormatException("Heads are checked with a public key in PEM (\"-----BEGIN PUBLIC KEY-----\"); this text is not one.");
        }

        using var key = ImportPem(pem);
        return From(key.ExportSubjectPublicKeyInfo());
    }

    public string ToPem() => PemEncoding.WriteString("PUBLIC KEY", _info) + "\n";

    /// <summary>True when <paramref name="head"/> was signed with this key's private half, as it is.</summary>
    public bool Verify(SignedAuditHead head)
    {
        if (head.KeyId != Id || head.Algorithm != AuditKey.Algorithm)
        {
            return false;
        }

        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(_info, out _);
        return key.VerifyData(
            head.Head.Encode(Id),
            head.Signature.Span,
            HashAlgorithmName.SHA256,
            DSASignatureFormat.IeeeP1363FixedFieldConcatenation
        );
    }

    internal static AuditPublicKey From(byte[] subjectPublicKeyInfo) => new(subjectPublicKeyInfo);

    internal static ECDsa ImportPem(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            var curve = key.ExportParameters(includePrivateParameters: false).Curve.Oid;
            if (
                curve.Value != ECCurve.NamedCurves.nistP256.Oid.Value
                && curve.FriendlyName != ECCurve.NamedCurves.nistP256.Oid.FriendlyName
            )
            {
                throw new FormatException($"The audit's key is an ECDSA key on P-256; this is one on {curve.FriendlyName ?? curve.Value}.");
            }

            return key;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new FormatException($"The audit's key is an ECDSA key on P-256 in PEM; this could not be read: {e.Message}", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
