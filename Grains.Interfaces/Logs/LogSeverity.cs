using System.Collections.Frozen;
using System.Text;

namespace Grains.Interfaces.Logs;

/// <summary>Names of severities and the numbers that they stand for (OpenTelemetry's data model: four numbers a name).</summary>
public static class LogSeverity
{
    /// <summary>Characters of the longest word that is one.</summary>
    private const int Longest = 13;

    private static readonly string[] Names = ["trace", "debug", "info", "warn", "error", "fatal"];

    /// <summary>The words of loggers: of .NET, Java, Python, Go, Node and syslog.</summary>
    private static readonly FrozenDictionary<string, byte> Words = new Dictionary<string, byte>(StringComparer.OrdinalIgnoreCase)
    {
        ["trace"] = 1,
        ["trce"] = 1,
        ["verbose"] = 1,
        ["verb"] = 1,
        ["vrb"] = 1,
        ["finest"] = 1,
        ["finer"] = 1,
        ["silly"] = 1,
        ["debug"] = 5,
        ["dbug"] = 5,
        ["dbg"] = 5,
        ["fine"] = 5,
        ["info"] = 9,
        ["information"] = 9,
        ["informational"] = 9,
        ["inf"] = 9,
        ["notice"] = 9,
        ["warn"] = 13,
        ["warning"] = 13,
        ["wrn"] = 13,
        ["error"] = 17,
        ["err"] = 17,
        ["eror"] = 17,
        ["fail"] = 17,
        ["severe"] = 17,
        ["fatal"] = 21,
        ["ftl"] = 21,
        ["critical"] = 21,
        ["crit"] = 21,
        ["alert"] = 21,
        ["emerg"] = 21,
        ["emergency"] = 21,
        ["panic"] = 21,
        ["dpanic"] = 21,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, byte>.AlternateLookup<ReadOnlySpan<char>> ByText = Words.GetAlternateLookup<
        ReadOnlySpan<char>
    >();

    /// <summary>
    /// The lowest number of a name: trace 1, debug 5, info 9, warn 13, error 17, fatal 21; upper and lower case alike, and the usual words
    /// of loggers. 0 when it is none.
    /// </summary>
    public static byte Of(string name) => ByText.TryGetValue(name, out var number) ? number : (byte)0;

    /// <summary>
    /// The number of a word as <see cref="Of(string)"/> has it, and of one with the step within it: <c>INFO2</c>. 0 when it is none.
    /// Allocates nothing.
    /// </summary>
    public static byte Of(ReadOnlySpan<byte> word)
    {
        if (word.Length is < 3 or > Longest + 1)
        {
            return 0;
        }

        Span<char> text = stackalloc char[Longest + 1];
        if (Ascii.ToUtf16(word, text, out var length) != System.Buffers.OperationStatus.Done)
        {
            return 0;
        }

        ReadOnlySpan<char> name = text[..length];
        var step = name[^1] is >= '2' and <= '4' ? name[^1] - '1' : 0;
        return ByText.TryGetValue(step > 0 ? name[..^1] : name, out var number) ? (byte)(number + step) : (byte)0;
    }

    /// <summary><c>info</c> for 9, <c>info2</c> for 10; empty for 0.</summary>
    public static string Name(byte number) =>
        number is 0 or > 24 ? "" : Names[(number - 1) / 4] + ((number - 1) % 4 is var step and > 0 ? step + 1 : "");
}
