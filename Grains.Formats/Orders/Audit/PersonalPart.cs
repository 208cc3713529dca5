using System.Security.Cryptography;

namespace Grains.Orders.Audit;

/// <summary>
/// What is personal in an order, and so can be erased: who ordered, where they are written to and in which language, and their notes.
/// </summary>
public sealed record PersonalPart(string Customer, string? EMail = null, string? Language = null, string? Notes = null)
{
    /// <summary>Bytes of each text.</summary>
    public const int MaxTextBytes = 16 * 1024;

    internal void Write(CanonicalWriter writer) =>
        writer
            .Text(Customer, "customer", MaxTextBytes)
            .OptionalText(EMail, "e-mail address", MaxTextBytes)
            .OptionalText(Language, "language", MaxTextBytes)
            .OptionalText(Notes, "notes", MaxTextBytes);

    internal static PersonalPart Read(ref CanonicalReader reader) =>
        new(
            reader.Text(MaxTextBytes),
            reader.OptionalText(MaxTextBytes),
            reader.OptionalText(MaxTextBytes),
            reader.OptionalText(MaxTextBytes)
        );
}

/// <summary>
/// An entry's personal part with its salt: a row beside the entry, deleted to erase it. Deleting it is final, because the salt is nowhere
/// else: backups that hold the row hold the data too.
/// </summary>
/// <remarks>
/// The commitment is SHA-256(0x02 ‖ salt ‖ part). It hides the part as long as the salt is unknown, and binds to it: nobody can find
/// another part or salt with the same hash.
/// </remarks>
public sealed class SaltedPersonal
{
    /// <summary>Bytes of a salt: as many as of the hash, so that guessing it is no easier than guessing the hash.</summary>
    public const int SaltBytes = 32;

    private const byte FormatVersion = 1;
    private const byte CommitmentPrefix = 2;

    private readonly byte[] _salt;

    private SaltedPersonal(byte[] salt, PersonalPart part)
    {
        _salt = salt;
        Part = part;
    }

    public PersonalPart Part { get; }

    /// <summary>With a new salt from the system's source of secrets. Each entry has its own, even of the same order.</summary>
    public static SaltedPersonal Of(PersonalPart part) => new(RandomNumberGenerator.GetBytes(SaltBytes), part);

    /// <param name="salt">Exactly <see cref="SaltBytes"/>, unguessable and used once; given by tests.</param>
    public static SaltedPersonal Of(PersonalPart part, ReadOnlySpan<byte> salt) =>
        salt.Length == SaltBytes
            ? new(salt.ToArray(), part)
            : throw new ArgumentException($"A salt has {SaltBytes} bytes; this has {salt.Length}.", nameof(salt));

    /// <summary>What the leaf holds (<see cref="AuditEntry.PersonalHash"/>).</summary>
    public MerkleHash Commitment()
    {
        var writer = new CanonicalWriter().Byte(CommitmentPrefix).Bytes(_salt);
        Part.Write(writer);
        return MerkleHash.Of(writer.ToBytes());
    }

    /// <summary>The row's payload.</summary>
    public byte[] Encode()
    {
        var writer = new CanonicalWriter().Byte(FormatVersion).Bytes(_salt);
        Part.Write(writer);
        return writer.ToBytes();
    }

    /// <exception cref="FormatException">No salted part has these bytes.</exception>
    public static SaltedPersonal Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new CanonicalReader(bytes, "A personal part");
        if (reader.Byte() is var format and not FormatVersion)
        {
            throw reader.Bad($"the format {format}; this program reads format {FormatVersion}");
        }

        var salt = reader.Bytes(SaltBytes).ToArray();
        if (salt.Length != SaltBytes)
        {
            throw reader.Bad($"a salt of {salt.Length} bytes in place of {SaltBytes}");
        }

        var part = PersonalPart.Read(ref reader);
        reader.End();
        return new(salt, part);
    }
}
