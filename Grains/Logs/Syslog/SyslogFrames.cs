namespace Grains.Logs.Syslog;

/// <summary>
/// Cuts a TCP connection's bytes into messages, by the framings of RFC 6587, told apart message by message: a count of bytes (§3.4.1), or a
/// line that ends with LF or NUL (§3.4.2).
/// A count is one only when it does not begin with 0, is at most <see cref="MaxCount"/>, and one space and a priority (<c>&lt;0&gt;</c> to
/// <c>&lt;191&gt;</c>) follow: a line may well begin with a number.
/// </summary>
/// <remarks>
/// A message beyond the bound is cut: its beginning is a message, and the rest is passed over and counted, also over several calls.
/// </remarks>
/// <param name="maxMessageBytes">Of one message.</param>
public sealed class SyslogFrames(int maxMessageBytes)
{
    /// <summary>Bytes of a counted message. A larger number is no count.</summary>
    public const int MaxCount = 4 * 1024 * 1024;

    private const int MaxDigits = 7;
    private const int MaxPriority = 191;

    private long _passOver;
    private bool _passLine;

    /// <summary>Messages that were longer than the bound and were cut.</summary>
    public long Cut { get; private set; }

    /// <summary>Bytes of cut messages that were passed over.</summary>
    public long PassedOver { get; private set; }

    /// <summary>Takes the next whole message off the front of <paramref name="bytes"/>; false when more bytes are needed.</summary>
    /// <param name="bytes">What was received and not taken; never longer than a message's bound and its count when it is given
    /// back.</param>
    /// <param name="isLast">No more come: what is left is a message.</param>
    /// <param name="isCut">The message is the beginning of a longer one: it was beyond the bound, or ended before its count.</param>
    public bool TryTake(ref ReadOnlySpan<byte> bytes, bool isLast, out ReadOnlySpan<byte> message, out bool isCut)
    {
        message = default;
        isCut = false;
        PassOver(ref bytes);
        bytes = _passOver > 0 || _passLine ? bytes : bytes.TrimStart("\r\n\0"u8); // Between messages.
        if (bytes.IsEmpty)
        {
            return false;
        }

        var counted = Counted(bytes, out var start, out var count);
        if (counted is null && !isLast)
        {
            return false;
        }

        return counted == true
            ? TryTakeCounted(ref bytes, start, count, isLast, out message, out isCut)
            : TryTakeLine(ref bytes, isLast, out message, out isCut);
    }

    private bool TryTakeCounted(
        ref ReadOnlySpan<byte> bytes,
        int start,
        int count,
        bool isLast,
        out ReadOnlySpan<byte> message,
        out bool isCut
    )
    {
        var (kept, here) = (Math.Min(count, maxMessageBytes), bytes.Length - start);
        message = default;
        isCut = false;
        if (here < kept && !isLast)
        {
            return false;
        }

        message = bytes.Slice(start, Math.Min(kept, here));
        if (count > maxMessageBytes)
        {
            Cut++;
            message = WithinCharacters(message);
            _passOver = count - message.Length;
        }

        isCut = message.Length < count;
        bytes = bytes[(start + message.Length)..];
        return true;
    }

    private bool TryTakeLine(ref ReadOnlySpan<byte> bytes, bool isLast, out ReadOnlySpan<byte> message, out bool isCut)
    {
        message = default;
        isCut = false;
        // One byte more than the bound is looked at for the end, and one for the CR before it.
        var end = bytes[..Math.Min(bytes.Length, maxMessageBytes + 2)].IndexOfAny((byte)'\n', (byte)0);
        if (end >= 0 && (end <= maxMessageBytes || bytes[maxMessageBytes] == '\r'))
        {
            message = bytes[..Math.Min(end, maxMessageBytes)];
            bytes = bytes[(end + 1)..];
            return true;
        }

        if (bytes.Length > maxMessageBytes + 1 || (bytes.Length > maxMessageBytes && (bytes[maxMessageBytes] != '\r' || isLast)))
        {
            (isCut, _passLine) = (true, true);
            Cut++;
            message = WithinCharacters(bytes[..maxMessageBytes]);
            bytes = bytes[message.Length..];
            return true;
        }

        if (!isLast)
        {
            return false;
        }

        message = bytes;
        bytes = default;
        return true;
    }

    /// <summary>Whether a count of bytes and a priority stand in front; null when the bytes end within them.</summary>
    private static bool? Counted(ReadOnlySpan<byte> bytes, out int start, out int count)
    {
        (start, count) = (0, 0);
        if (bytes[0] is < (byte)'1' or > (byte)'9')
        {
            return false;
        }

        for (; start < bytes.Length && bytes[start] is >= (byte)'0' and <= (byte)'9'; start++)
        {
            count = (count * 10) + (bytes[start] - '0');
            if (start == MaxDigits || count > MaxCount)
            {
                return false;
            }
        }

        if (start == bytes.Length)
        {
            return null;
        }

        return bytes[start++] != ' ' ? false : IsPriority(bytes[start..]);
    }

    private static bool? IsPriority(ReadOnlySpan<byte> bytes)
    {
        var priority = 0;
        for (var at = 0; at < bytes.Length; at++)
        {
            switch (bytes[at])
            {
                case (byte)'<' when at == 0:
                    break;
                case (byte)'>' when at > 1:
                    return priority <= MaxPriority;
                case >= (byte)'0' and <= (byte)'9' when at is > 0 and <= 3:
                    priority = (priority * 10) + (bytes[at] - '0');
                    break;
                default:
                    return false;
            }
        }

        return null;
    }

    private void PassOver(ref ReadOnlySpan<byte> bytes)
    {
        if (_passLine)
        {
            var end = bytes.IndexOfAny((byte)'\n', (byte)0);
            PassedOver += end < 0 ? bytes.Length : end;
            bytes = end < 0 ? default : bytes[(end + 1)..];
            _passLine = end < 0;
        }

        var few = (int)Math.Min(_passOver, bytes.Length);
        bytes = bytes[few..];
        _passOver -= few;
        PassedOver += few;
    }

    /// <summary>Without the beginning of a character of UTF-8 that the cut went through.</summary>
    private static ReadOnlySpan<byte> WithinCharacters(ReadOnlySpan<byte> cut)
    {
        for (var last = cut.Length - 1; last > cut.Length - 4 && last > 0; last--)
        {
            if (cut[last] >= 0xc0)
            {
                var length =
                    cut[last] >= 0xf0 ? 4
                    : cut[last] >= 0xe0 ? 3
                    : 2;
                return last + length > cut.Length ? cut[..last] : cut;
            }

            if (cut[last] < 0x80)
            {
                break;
            }
        }

        return cut;
    }
}
