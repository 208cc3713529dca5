using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Grains.Logs.Otlp;

/// <summary>
/// A forward walk over one protobuf message: field by field, nothing built (protobuf's encoding guide, "wire types").
/// What is not well formed is an <see cref="OtlpException"/>.
/// </summary>
public ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int Bytes = 2;
    public const int Fixed32 = 5;

    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;

    /// <summary>The field that was read last.</summary>
    public int Field { get; private set; }

    public int WireType { get; private set; }

    /// <summary>Goes to the next field; false at the end of the message. What the field holds is read next, or skipped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next()
    {
        if (_at == _message.Length)
        {
            return false;
        }

        var tag = ReadVarint();
        if (tag is 0 or > uint.MaxValue || tag >> 3 == 0)
        {
            throw new OtlpException($"a field's tag is {tag}");
        }

        Field = (int)(tag >> 3);
        WireType = (int)(tag & 7);
        return true;
    }

    /// <summary>
    /// Goes to the next field of this number and reads its bytes, passing over all others; false at the end of the message.
    /// </summary>
    /// <param name="name">For the sentence when it is of another wire type.</param>
    public bool NextBytes(int field, string name, out ReadOnlySpan<byte> bytes)
    {
        while (Next())
        {
            if (Field == field)
            {
                Expect(Bytes, name);
                bytes = ReadBytes();
                return true;
            }

            Skip();
        }

        bytes = default;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ReadVarint()
    {
        if (_at < _message.Length && _message[_at] < 0x80)
        {
            return _message[_at++];
        }

        return ReadLongVarint();
    }

    public ulong ReadFixed64()
    {
        var value = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        return value;
    }

    public uint ReadFixed32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadVarint();
        if (length > (ulong)(_message.Length - _at))
        {
            throw new OtlpException($"a field says that it has {length} bytes, and {_message.Length - _at} are left");
        }

        return Take((int)length);
    }

    /// <summary>Passes over the field that was read last.</summary>
    public void Skip()
    {
        switch (WireType)
        {
            case Varint:
                ReadVarint();
                break;
            case Fixed64:
                Take(8);
                break;
            case Bytes:
                ReadBytes();
                break;
            case Fixed32:
                Take(4);
                break;
            default:
                throw new OtlpException($"field {Field} has the wire type {WireType}, which is none of this format");
        }
    }

    /// <summary>The field that was read last has this wire type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Expect(int wireType, string name)
    {
        if (WireType != wireType)
        {
            throw new OtlpException($"{name} has the wire type {WireType}, and {wireType} is right");
        }
    }

    private ulong ReadLongVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (_at == _message.Length)
            {
                throw new OtlpException("a number is cut off");
            }

            var next = _message[_at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new OtlpException("a number has more than ten bytes");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_message.Length - _at < count)
        {
            throw new OtlpException($"{count} bytes are due, and {_message.Length - _at} are left");
        }

        var taken = _message.Slice(_at, count);
        _at += count;
        return taken;
    }
}
