using System.Buffers;
using System.Text;

namespace Grains.Logs.Records;

/// <summary>Bytes that grow at the end, in rented memory. Not thread-safe; give it back with <see cref="Dispose"/>.</summary>
public sealed class ByteHeap : IBufferWriter<byte>, IDisposable
{
    private byte[] _bytes;

    public ByteHeap(int capacity)
    {
        _bytes = ArrayPool<byte>.Shared.Rent(capacity);
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
    }

    public void Append(byte value)
    {
        GetSpan(1)[0] = value;
        Length++;
    }

    /// <summary>As UTF-8; a lone surrogate becomes U+FFFD.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        var room = GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        Length += Encoding.UTF8.GetBytes(text, room);
    }

    /// <summary>Text that should be UTF-8 and may not be: what is wrong in it becomes U+FFFD (Unicode 15 §3.9, maximal subparts).</summary>
    public void AppendText(ReadOnlySpan<byte> utf8)
    {
        if (System.Text.Unicode.Utf8.IsValid(utf8))
        {
            Append(utf8);
            return;
        }

        while (!utf8.IsEmpty)
        {
            Rune.DecodeFromUtf8(utf8, out var rune, out var consumed);
            Length += rune.EncodeToUtf8(GetSpan(4));
            utf8 = utf8[consumed..];
        }
    }

    /// <summary>What was written, not beyond <paramref name="max"/> bytes and not within a character.</summary>
    public ReadOnlySpan<byte> WithinCharacters(int max)
    {
        if (Length <= max)
        {
            return Written;
        }

        while (max > 0 && (_bytes[max] & 0xc0) == 0x80)
        {
            max--;
        }

        return Written[..max];
    }

    /// <summary>Cuts off what was written after <paramref name="length"/>.</summary>
    public void Cut(int length) => Length = length;

    /// <summary>Cuts off what was written before <paramref name="start"/>: what follows moves to the front.</summary>
    public void CutBefore(int start)
    {
        if (start > 0)
        {
            _bytes.AsSpan(start, Length - start).CopyTo(_bytes);
            Length -= start;
        }
    }

    public void Advance(int count) => Length += count;

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(Length);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        Length = 0;
    }

    private void Reserve(int more)
    {
        if (_bytes.Length - Length >= more)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(checked(Length + more), 2L * _bytes.Length)));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
