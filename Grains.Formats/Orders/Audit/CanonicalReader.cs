using System.Buffers.Binary;
using System.Text;

namespace Grains.Orders.Audit;

/// <summary>
/// Reads what <see cref="CanonicalWriter"/> wrote and nothing else: bytes that could not have been written so are a
/// <see cref="FormatException"/>.
/// </summary>
/// <param name="what">What is read, for errors: "An audit entry".</param>
internal ref struct CanonicalReader(ReadOnlySpan<byte> bytes, string what)
{
    private readonly int _length = bytes.Length;
    private ReadOnlySpan<byte> _rest = bytes;

    public byte Byte() => Take(1)[0];

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public MerkleHash Hash() => MerkleHash.FromBytes(Take(MerkleHash.Size));

    public MerkleHash? OptionalHash() => Flag() ? Hash() : null;

    public ReadOnlySpan<byte> Bytes(int max)
    {
        var length = Int32();
        return length >= 0 && length <= max ? Take(length) : throw Bad($"a length of {length} where at most {max} is allowed");
    }

    public string Text(int maxBytes)
    {
        var text = Bytes(maxBytes);
        try
        {
            return CanonicalWriter.Utf8.GetString(text);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException($"{what} is damaged: a text in it is not UTF-8.", e);
        }
    }

    public string? OptionalText(int maxBytes) => Flag() ? Text(maxBytes) : null;

    public DateTimeOffset Time()
    {
        var ticks = Int64();
        return ticks >= DateTimeOffset.MinValue.UtcTicks && ticks <= DateTimeOffset.MaxValue.UtcTicks
            ? new DateTimeOffset(ticks, TimeSpan.Zero)
            : throw Bad($"{ticks} ticks, which is no time");
    }

    public readonly void End()
    {
        if (!_rest.IsEmpty)
        {
            throw Bad($"{_rest.Length} bytes after its end");
        }
    }

    public readonly FormatException Bad(string has) =>
        new($"{what} is damaged: it has {has} (at byte {_length - _rest.Length} of {_length}).");

    private bool Flag() =>
        Byte() switch
        {
            0 => false,
            1 => true,
            var other => throw Bad($"{other} where 0 or 1 says whether a value follows"),
        };

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_rest.Length < count)
        {
            throw Bad($"{_rest.Length} bytes left where {count} are needed");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
