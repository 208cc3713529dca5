using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Grains.Orders.Audit;

/// <summary>
/// The one way in which the audit turns values into bytes: integers big-endian in their full width, texts and byte strings after their
/// length in four bytes, texts as UTF-8.
/// Equal values give equal bytes and different values different ones, because no field can run into the next.
/// </summary>
internal sealed class CanonicalWriter
{
    /// <summary>Throws on half a surrogate pair: its replacement would give two texts the same bytes.</summary>
    public static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    public CanonicalWriter Byte(byte value)
    {
        _bytes.GetSpan(1)[0] = value;
        _bytes.Advance(1);
        return this;
    }

    public CanonicalWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
        return this;
    }

    public CanonicalWriter Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
        return this;
    }

    public CanonicalWriter Bytes(ReadOnlySpan<byte> value)
    {
        Int32(value.Length);
        _bytes.Write(value);
        return this;
    }

    public CanonicalWriter Text(string value, string what, int maxBytes)
    {
        int length;
        try
        {
            length = Utf8.GetByteCount(value);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException($"The {what} holds half of a surrogate pair, which has no UTF-8 form.", what, e);
        }

        if (length > maxBytes)
        {
            throw new ArgumentException($"The {what} has {length} bytes in UTF-8; at most {maxBytes} are allowed.", what);
        }

        Int32(length);
        _bytes.Advance(Utf8.GetBytes(value, _bytes.GetSpan(length)));
        return this;
    }

    /// <summary>A byte 0, or a byte 1 and the text.</summary>
    public CanonicalWriter OptionalText(string? value, string what, int maxBytes) =>
        value is null ? Byte(0) : Byte(1).Text(value, what, maxBytes);

    public CanonicalWriter Hash(in MerkleHash value)
    {
        value.CopyTo(_bytes.GetSpan(MerkleHash.Size));
        _bytes.Advance(MerkleHash.Size);
        return this;
    }

    /// <summary>A byte 0, or a byte 1 and the hash.</summary>
    public CanonicalWriter OptionalHash(in MerkleHash? value) => value is { } hash ? Byte(1).Hash(hash) : Byte(0);

    public byte[] ToBytes() => _bytes.WrittenSpan.ToArray();
}
