namespace Grains.Logs.Syslog;

/// <summary>
/// Cuts a TCP connection's bytes into messages, by both framings of RFC 6587: a digit first is the number of bytes that follow it and a space (§3.4.1),
/// anything else goes on to the end of the line (§3.4.2). A message beyond the bound is passed over, also over several calls.
/// </summary>
public sealed class SyslogFrames(int maxMessageBytes)
{
    private const int MaxDigits = 10;

    private long _passOver;
    private bool _passLine;

    /// <summary>Messages that were longer than the bound.</summary>
    public long TooLarge { get; private set; }

    /// <summary>Takes the next whole message off the front of <paramref name="bytes"/>; false when more bytes are needed.</summary>
    /// <param name="bytes">What was received and not taken; never longer than a message's bound and its count when it is given back.</param>
    /// <param name="isLast">No more come: what is left of a line is a message.</param>
    public bool TryTake(ref ReadOnlySpan<byte> bytes, bool isLast, out ReadOnlySpan<byte> message)
    {
        while (true)
        {
            message = default;
            PassOver(ref bytes);
            if (bytes.IsEmpty || _passOver > 0 || _passLine)
            {
                return false;
            }

            if (bytes[0] is (byte)'\n' or (byte)'\r' or 0)
            {
                bytes = bytes[1..]; // Between messages.
                continue;
            }

            var counted = Counted(bytes, out var start, out var length);
            if (counted is null && !isLast)
            {
                return false;
            }

            if (counted == true)
            {
                if (length > maxMessageBytes)
                {
                    TooLarge++;
                    _passOver = start + length;
                    continue;
                }

                if (bytes.Length - start < length && !isLast)
                {
                    return false;
                }

                message = bytes.Slice(start, (int)Math.Min(length, bytes.Length - start));
                bytes = bytes[(start + message.Length)..];
                return true;
            }

            var end = bytes.IndexOf((byte)'\n');
            if (end < 0 && bytes.Length <= maxMessageBytes && !isLast)
            {
                return false;
            }

            if (end > maxMessageBytes || (end < 0 && bytes.Length > maxMessageBytes))
            {
                TooLarge++;
                _passLine = true;
                continue;
            }

            message = end < 0 ? bytes : bytes[..end];
            bytes = end < 0 ? default : bytes[(end + 1)..];
            return true;
        }
    }

    /// <summary>Whether a count of bytes stands in front; null when the bytes end within it.</summary>
    private static bool? Counted(ReadOnlySpan<byte> bytes, out int start, out long length)
    {
        (start, length) = (0, 0);
        if (bytes[0] is < (byte)'1' or > (byte)'9')
        {
            return false;
        }

        for (; start < bytes.Length && start <= MaxDigits; start++)
        {
            if (bytes[start] == ' ')
            {
                start++;
                return true;
            }

            if (bytes[start] is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            length = (length * 10) + (bytes[start] - '0');
        }

        return start > MaxDigits ? false : null;
    }

    private void PassOver(ref ReadOnlySpan<byte> bytes)
    {
        var few = (int)Math.Min(_passOver, bytes.Length);
        bytes = bytes[few..];
        _passOver -= few;
        if (_passLine)
        {
            var end = bytes.IndexOf((byte)'\n');
            bytes = end < 0 ? default : bytes[(end + 1)..];
            _passLine = end < 0;
        }
    }
}
