namespace Grains.Logs.Text;

/// <summary>
/// Joins the lines that belong to one record: a stack trace, a message of several lines. A line continues the one before when it is empty
/// or indented, begins as traces go on
/// (<c>Caused by:</c>, <c>... 12 more</c>, <c>Traceback</c>), or says no time where the record's first line said its own.
/// </summary>
/// <remarks>
/// Bounded: a record has <see cref="MaxLines"/> lines and <paramref name="maxBytes"/> at most; what is beyond begins the next one. Nothing
/// is allocated.
/// </remarks>
public sealed class RecordJoiner(LineReader reader, int maxBytes = RecordJoiner.MaxBytes)
{
    public const int MaxLines = 500;

    /// <summary>Of a record that is joined, unless a record may have less.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>Bytes of the first record, with its lines' ends. All of the text when its end is not in it.</summary>
    /// <param name="now">Nanoseconds since 1970.</param>
    public int Next(ReadOnlySpan<byte> text, ulong now)
    {
        var length = LineLength(text);
        var isTimed = reader.Read(text[..length], now).Time > 0;
        var isTrace = false;
        for (var lines = 1; lines < MaxLines && length < text.Length; lines++)
        {
            var line = text.Slice(length, LineLength(text[length..]));
            if (length + line.Length > maxBytes || !(Continues(line, ref isTrace) || (isTimed && reader.Read(line, now).Time == 0)))
            {
                break;
            }

            length += line.Length;
        }

        return length;
    }

    /// <summary>Where the last record begins: what stands before it is whole records.</summary>
    /// <param name="now">Nanoseconds since 1970.</param>
    public int LastStart(ReadOnlySpan<byte> text, ulong now)
    {
        for (var start = 0; ; )
        {
            var length = Next(text[start..], now);
            if (start + length >= text.Length)
            {
                return start;
            }

            start += length;
        }
    }

    private static int LineLength(ReadOnlySpan<byte> text) => text.IndexOf((byte)'\n') is >= 0 and var end ? end + 1 : text.Length;

    /// <param name="isTrace">A trace of Python's began: the first line behind it that is not indented is its last.</param>
    private static bool Continues(ReadOnlySpan<byte> line, ref bool isTrace)
    {
        if (line is [] or [(byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n', ..])
        {
            return true;
        }

        if (line.StartsWith("Traceback ("u8))
        {
            return isTrace = true;
        }

        var ends = isTrace;
        isTrace = false;
        return ends
            || line.StartsWith("Caused by:"u8)
            || line.StartsWith("Suppressed:"u8)
            || line.StartsWith("... "u8)
            || line.StartsWith("at "u8)
            || line is [(byte)'}' or (byte)')' or (byte)']', ..]
            || line.StartsWith("During handling of the above"u8)
            || line.StartsWith("The above exception"u8)
            || line.StartsWith("--- End of "u8);
    }
}
