using System.Collections.Immutable;
using System.Text.Json;

namespace Grains.Orders.Audit;

/// <summary>What a check of a file found.</summary>
/// <param name="Kind"><c>proof</c>, <c>head</c>, <c>consistency</c> or <c>checkpoint</c>.</param>
/// <param name="Fault">What is wrong, the first thing, in a sentence; null when it holds.</param>
/// <param name="Says">What the file says, in a sentence: it is so when nothing is wrong and the key is the log's.</param>
/// <param name="KeyId">The key that signed it, as the file has it; null where it names none.</param>
/// <param name="IsOwnKey">No key was given: it was checked with the one that the file itself names, which proves nothing about who
/// signed.</param>
public sealed record AuditFileCheck(string Kind, string? Fault, string Says, string? KeyId, bool IsOwnKey);

/// <summary>Checks what the audit gives away, offline: proofs, heads, proofs of consistency, checkpoints.</summary>
public static class AuditFile
{
    /// <summary>Characters of a file at most.</summary>
    public const int MaxLength = 64 * 1024 * 1024;

    /// <param name="keys">The keys that may have signed; none: the one that the file names.</param>
    /// <exception cref="FormatException">It is no such file, or names no key where none is given.</exception>
    public static AuditFileCheck Check(string text, IReadOnlyCollection<AuditPublicKey> keys)
    {
        if (text.Length > MaxLength)
        {
            throw new FormatException($"A file of the audit has at most {MaxLength} characters; this has {text.Length}.");
        }

        if (!text.AsSpan().TrimStart().StartsWith("{"))
        {
            return Checkpoint(text, keys);
        }

        return Format(text) switch
        {
            ReceiptForm.FormatName => Proof(AuditReceipt.FromJson(text), keys),
            ConsistencyForm.FormatName => Consistency(AuditConsistency.FromJson(text), keys),
            HeadForm.FormatName => Head(SignedAuditHead.FromJson(text), keys),
            var other => throw new FormatException(
                $"A file of the audit is a \"{ReceiptForm.FormatName}\", \"{ConsistencyForm.FormatName}\" or "
                    + $"\"{HeadForm.FormatName}\"; this is \"{other}\"."
            ),
        };
    }

    private static AuditFileCheck Proof(AuditReceipt proof, IReadOnlyCollection<AuditPublicKey> keys)
    {
        var (with, isOwn) = Keys(keys, proof.PublicKey);
        var orders = proof.Entries.Select(entry => Order(entry.Entry)).Distinct(StringComparer.Ordinal).ToImmutableArray();
        var of = orders is [var one] ? $" of order {one}" : "";
        var says = $"{Count(proof.Entries.Length, "entry", "entries")}{of} under the head of {AuditVerifier.Time(proof.Head.Head)}";
        return new("proof", proof.Check(with), says, proof.Head.KeyId, isOwn);
    }

    private static AuditFileCheck Consistency(AuditConsistency proof, IReadOnlyCollection<AuditPublicKey> keys)
    {
        var (with, isOwn) = Keys(keys, proof.PublicKey);
        var says =
            $"the head of {AuditVerifier.Time(proof.Older.Head)} is the beginning of the head of "
            + $"{AuditVerifier.Time(proof.Newer.Head)}, in "
            + $"{Count(proof.Older.Head.Roots.Length, "partition", "partitions")}";
        return new("consistency", proof.Check(with), says, proof.Newer.KeyId, isOwn);
    }

    private static AuditFileCheck Head(SignedAuditHead head, IReadOnlyCollection<AuditPublicKey> keys)
    {
        var (with, isOwn) = Keys(keys, ownKey: null);
        var entries = head.Head.Roots.Sum(root => root.Size);
        var says =
            $"{Count(entries, "entry", "entries")} in {Count(head.Head.Roots.Length, "partition", "partitions")} at "
            + AuditVerifier.Time(head.Head);
        return new("head", AuditVerifier.CheckSignature(head, with), says, head.KeyId, isOwn);
    }

    private static AuditFileCheck Checkpoint(string text, IReadOnlyCollection<AuditPublicKey> keys)
    {
        var (with, isOwn) = Keys(keys, ownKey: null);
        var checkpoint = AuditCheckpoint.Read(text, with, out var error) ?? throw new FormatException(error);
        return new("checkpoint", error, $"{Count(checkpoint.Size, "entry", "entries")} of {checkpoint.Origin}", with.First().Id, isOwn);
    }

    private static (IReadOnlyCollection<AuditPublicKey> Keys, bool IsOwn) Keys(IReadOnlyCollection<AuditPublicKey> keys, string? ownKey) =>
        keys.Count > 0 ? (keys, false)
        : ownKey is not null ? ([AuditPublicKey.FromPem(ownKey)], true)
        : throw new FormatException("The file names no key of its own: give the log's public key.");

    /// <summary>The order that an entry is about; what cannot be read is found by the check.</summary>
    private static string Order(ReadOnlyMemory<byte> entry)
    {
        try
        {
            return AuditEntry.Decode(entry.Span).OrderId;
        }
        catch (FormatException)
        {
            return "";
        }
    }

    private static string? Format(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.TryGetProperty("format", out var format) && format.ValueKind == JsonValueKind.String
                ? format.GetString()
                : null;
        }
        catch (JsonException e)
        {
            throw new FormatException($"It is no file of the audit: {e.Message}", e);
        }
    }

    private static string Count(long count, string one, string many) => FormattableString.Invariant($"{count} {(count == 1 ? one : many)}");
}
