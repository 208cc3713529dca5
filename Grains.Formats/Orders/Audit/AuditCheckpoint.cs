using System.Globalization;
using System.Text;

namespace Grains.Orders.Audit;

/// <summary>
/// One partition's tree at a size, in the form of C2SP's tlog-checkpoint: a signed note (c2sp.org/signed-note) of origin, size and root,
/// which monitors
/// and witnesses of other logs read too.
/// </summary>
/// <remarks>
/// Signed by ECDSA on P-256 with SHA-256 (signature type 0x02): the key's id is the beginning of the SHA-256 of its SubjectPublicKeyInfo.
/// </remarks>
/// <param name="Origin">Names the log: <c>orders-audit/{key id}/{partition}</c>. It is the key's name in the signature line, too.</param>
/// <param name="Size">Entries of the tree.</param>
public sealed record AuditCheckpoint(string Origin, long Size, MerkleHash Root)
{
    /// <summary>Characters of a note.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>Signature lines that are looked at; a verifier accepts 16 at least.</summary>
    private const int MaxSignatures = 64;

    private const string OriginPrefix = "orders-audit/";

    private const char Dash = '\u2014';

    /// <summary>The partition that the origin names; null for an origin of another log.</summary>
    public int? Partition =>
        Origin.StartsWith(OriginPrefix, StringComparison.Ordinal)
        && int.TryParse(Origin.AsSpan(Origin.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            ? partition
            : null;

    /// <summary>What is signed: three lines, each with its line feed.</summary>
    private string Text => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Convert.ToBase64String(Root.ToBytes())}\n");

    /// <summary>A partition's checkpoint as the key's log has it.</summary>
    public static AuditCheckpoint Of(AuditPublicKey key, PartitionRoot root) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{OriginPrefix}{key.Id}/{root.Partition}"), root.Size, root.Root);

    /// <summary>The note: text, blank line, signature line.</summary>
    public string Sign(AuditKey key)
    {
        var signature = key.SignNote(Encoding.UTF8.GetBytes(Text));
        return $"{Text}\n{Dash} {Origin} {Convert.ToBase64String([.. key.PublicKey.NoteId, .. signature])}\n";
    }

    /// <summary>Reads a note, and believes it when one of the keys has signed it.</summary>
    /// <param name="error">A sentence that says what is wrong; null when the checkpoint holds.</param>
    /// <returns>Null when the note is no checkpoint at all.</returns>
    public static AuditCheckpoint? Read(string note, IReadOnlyCollection<AuditPublicKey> keys, out string? error)
    {
        error = "It is no checkpoint: a note has a text, a blank line, and signature lines.";
        var end = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0 || note.Length > MaxLength || !note.EndsWith('\n'))
        {
            return null;
        }

        var text = note[..(end + 1)];
        if (
            text.Split('\n') is not [{ Length: > 0 } origin, var number, var hash, ..]
            || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            || size.ToString(CultureInfo.InvariantCulture) != number
            || !TryRoot(hash, out var root)
        )
        {
            error = "It is no checkpoint: its lines are origin, size and root hash.";
            return null;
        }

        error = Fault(text, note[(end + 2)..], keys);
        return new(origin, size, root);
    }

    /// <summary>The first thing that is wrong with the signatures; null when a known key has signed.</summary>
    private static string? Fault(string text, string signatures, IReadOnlyCollection<AuditPublicKey> keys)
    {
        var isSigned = false;
        foreach (var line in signatures.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(MaxSignatures))
        {
            if (
                line.Split(' ') is not [[Dash], { Length: > 0 } name, var encoded]
                || !TryDecode(encoded, out var bytes)
                || bytes.Length < 5
            )
            {
                return "A signature line of the checkpoint is damaged.";
            }

            // Signatures of keys that are not known here are passed over, witnesses' among them.
            if (
                keys.FirstOrDefault(key =>
                    key.NoteId.AsSpan().SequenceEqual(bytes.AsSpan(0, 4)) && name.Contains(key.Id, StringComparison.Ordinal)
                ) is
                { } key
            )
            {
                if (!key.VerifyNote(Encoding.UTF8.GetBytes(text), bytes.AsSpan(4)))
                {
                    return $"The checkpoint was changed: its signature is not that of the key {key.Id} over what it says.";
                }

                isSigned = true;
            }
        }

        return isSigned ? null : "The checkpoint is not signed by a key that was given.";
    }

    private static bool TryRoot(string text, out MerkleHash root)
    {
        root = default;
        if (!TryDecode(text, out var bytes) || bytes.Length != MerkleHash.Size)
        {
            return false;
        }

        root = MerkleHash.FromBytes(bytes);
        return true;
    }

    private static bool TryDecode(string text, out byte[] bytes)
    {
        var room = new byte[text.Length];
        var isText = Convert.TryFromBase64String(text, room, out var length);
        bytes = isText ? room[..length] : [];
        return isText;
    }
}
