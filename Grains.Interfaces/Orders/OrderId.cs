using System.Globalization;

namespace Grains.Interfaces.Orders;

/// <summary>
/// An order's identity: the number of its partition, two digits, and 26 characters of base 32 (130 bits), <c>03-9v2k…</c>. Both are made
/// from the API client and its
/// Idempotency-Key, so that asking twice is asking for one order, whatever was asked; without a key both are random.
/// </summary>
/// <remarks>
/// The partition comes from the key and not from the customer: a repeat must meet its first attempt even if it names another customer,
/// and nobody's orders crowd one partition (docs/decisions).
/// </remarks>
[GenerateSerializer, Immutable, Alias("orders.OrderId")]
public readonly record struct OrderId([property: Id(0)] string Value)
{
    public const int Length = 3 + Base32.Length;

    /// <summary>Partitions that an id can name.</summary>
    public const int MaxPartitions = 100;

    /// <summary>The partition of the feed that has the order.</summary>
    public int Partition => ((Value[0] - '0') * 10) + Value[1] - '0';

    /// <param name="hash">32 bytes, the same for the same client and key.</param>
    internal static OrderId Of(ReadOnlySpan<byte> hash, int partitions) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(hash[^4..]) % (uint)partitions:00}-{Base32.Format(hash)}"
            )
        );

    public static bool TryParse(string? text, out OrderId id)
    {
        id = new(text ?? "");
        return text is { Length: Length }
            && char.IsAsciiDigit(text[0])
            && char.IsAsciiDigit(text[1])
            && text[2] == '-'
            && Base32.IsOf(text.AsSpan(3));
    }

    public static OrderId Parse(string text) =>
        TryParse(text, out var id)
            ? id
            : throw new FormatException(
                $"An order's id is two digits, \"-\" and {Base32.Length} digits and lower-case letters; this is \"{text}\"."
            );

    public override string ToString() => Value;
}

/// <summary>
/// Names one step of one order, by whoever asks for it: a repeat under the same id gets the first answer. 26 characters of base 32, made
/// from the API client
/// and its Idempotency-Key, or random.
/// </summary>
[GenerateSerializer, Immutable, Alias("orders.StepId")]
public readonly record struct StepId([property: Id(0)] string Value)
{
    public static StepId New() => IdempotencyKey.Random().StepId;

    public override string ToString() => Value;
}
