using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Grains.Orders.Audit;

/// <summary>Head files and proofs as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(HeadForm))]
[JsonSerializable(typeof(ReceiptForm))]
[JsonSerializable(typeof(ConsistencyForm))]
internal sealed partial class AuditJson : JsonSerializerContext
{
    /// <summary>Characters of a file.</summary>
    private const int MaxLength = 64 * 1024 * 1024;

    /// <summary>The encoder leaves base64's <c>+</c> alone: no such file is put into HTML.</summary>
    public static readonly AuditJson Indented = new(
        new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            WriteIndented = true,
            RespectNullableAnnotations = true,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }
    );

    public static string Write<T>(T form) => JsonSerializer.Serialize(form, (JsonTypeInfo<T>)Indented.GetTypeInfo(typeof(T))!) + "\n";

    public static T Read<T>(string json, JsonTypeInfo<T> type, string what)
        where T : class
    {
        if (json.Length > MaxLength)
        {
            throw new FormatException($"This is not {what}: it has {json.Length} characters, and {MaxLength} are the most.");
        }

        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new FormatException($"This is not {what}: it is null.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"This is not {what}: {e.Message}", e);
        }
    }
}

/// <summary>A head file.</summary>
internal sealed record HeadForm
{
    public const string FormatName = "orders-audit-head/1";

    public required string Format { get; init; }

    public required DateTimeOffset At { get; init; }

    public required IReadOnlyList<RootForm?> Partitions { get; init; }

    public required string KeyId { get; init; }

    public required string Algorithm { get; init; }

    public required string Signature { get; init; }

    public static HeadForm Of(SignedAuditHead signed) =>
        new()
        {
            Format = FormatName,
            At = signed.Head.At,
            Partitions =
            [
                .. signed.Head.Roots.Select(root => new RootForm
                {
                    Partition = root.Partition,
                    Size = root.Size,
                    Root = root.Root.ToString(),
                }),
            ],
            KeyId = signed.KeyId,
            Algorithm = signed.Algorithm,
            Signature = Convert.ToBase64String(signed.Signature.Span),
        };

    public SignedAuditHead ToHead()
    {
        if (Format != FormatName)
        {
            throw new FormatException($"A head file's format is \"{FormatName}\"; this one's is \"{Format}\".");
        }

        try
        {
            var head = new AuditHead(
                At,
                Partitions
                    .Select(root => root ?? throw new FormatException("a partition in it is null."))
                    .Select(root => new PartitionRoot(root.Partition, root.Size, MerkleHash.Parse(root.Root)))
            );
            return new(head, KeyId, Algorithm, Convert.FromBase64String(Signature));
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new FormatException($"The head file is damaged: {e.Message}", e);
        }
    }
}

internal sealed record RootForm
{
    public required int Partition { get; init; }

    public required long Size { get; init; }

    public required string Root { get; init; }
}

/// <summary>What proves entries: see <see cref="AuditReceipt"/>.</summary>
internal sealed record ReceiptForm
{
    public const string FormatName = "orders-audit-proof/1";

    public required string Format { get; init; }

    public required HeadForm Head { get; init; }

    public required IReadOnlyList<ProvenForm?> Entries { get; init; }

    /// <inheritdoc cref="AuditReceipt.PublicKey"/>
    public string? PublicKey { get; init; }

    public static ReceiptForm Of(AuditReceipt receipt) =>
        new()
        {
            Format = FormatName,
            Head = HeadForm.Of(receipt.Head),
            Entries = [.. receipt.Entries.Select(ProvenForm.Of)],
            PublicKey = receipt.PublicKey,
        };

    public AuditReceipt ToReceipt()
    {
        if (Format != FormatName)
        {
            throw new FormatException($"A proof's format is \"{FormatName}\"; this one's is \"{Format}\".");
        }

        if (Entries.Count > AuditReceipt.MaxEntries)
        {
            throw new FormatException($"A proof is of at most {AuditReceipt.MaxEntries} entries; this is of {Entries.Count}.");
        }

        return new(
            Head.ToHead(),
            [.. Entries.Select(entry => entry?.ToProven() ?? throw new FormatException("An entry of the proof is null."))],
            PublicKey
        );
    }
}

internal sealed record ProvenForm
{
    /// <summary>The leaf's data in base64.</summary>
    public required string Entry { get; init; }

    public required long Index { get; init; }

    public required long Size { get; init; }

    public required IReadOnlyList<string> Path { get; init; }

    /// <summary>Salt and personal part in base64, as they are stored.</summary>
    public string? Personal { get; init; }

    public static ProvenForm Of(ProvenEntry proven) =>
        new()
        {
            Entry = Convert.ToBase64String(proven.Entry.Span),
            Index = proven.Proof.Index,
            Size = proven.Proof.Size,
            Path = [.. proven.Proof.Path.Select(hash => hash.ToString())],
            Personal = proven.Personal is { } personal ? Convert.ToBase64String(personal.Encode()) : null,
        };

    public ProvenEntry ToProven() =>
        new(
            Convert.FromBase64String(Entry),
            new InclusionProof(Index, Size, [.. Path.Select(MerkleHash.Parse)]),
            Personal is null ? null : SaltedPersonal.Decode(Convert.FromBase64String(Personal))
        );
}
