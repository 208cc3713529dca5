using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Grains.Orders.Deliveries;

/// <summary>A schedule as it is written in settings: the waits after the first try, such as <c>5s 5m 30m 2h</c>.</summary>
public static class RetryWaits
{
    /// <summary>Tries after the first.</summary>
    public const int Most = 20;

    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    private static readonly (string Unit, TimeSpan Time)[] Units =
    [
        ("ms", TimeSpan.FromMilliseconds(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("m", TimeSpan.FromMinutes(1)),
        ("h", TimeSpan.FromHours(1)),
        ("d", TimeSpan.FromDays(1)),
    ];

    /// <summary>
    /// Whole numbers with ms, s, m, h or d, and blanks between; one to <see cref="Most"/> of them, each from a millisecond to
    /// <see cref="Longest"/>.
    /// </summary>
    /// <param name="error">A sentence that names what is wrong and what would be right.</param>
    public static bool TryParse(string? text, out ImmutableArray<TimeSpan> waits, [NotNullWhen(false)] out string? error)
    {
        waits = [];
        var words = (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is 0 or > Most)
        {
            error = $"The waits between tries are one to {Most}, such as \"5s 5m 2h\"; this has {words.Length}.";
            return false;
        }

        var parsed = ImmutableArray.CreateBuilder<TimeSpan>(words.Length);
        foreach (var word in words)
        {
            if (Parse(word) is not { } wait)
            {
                error =
                    $"\"{(word.Length > 20 ? word[..20] + "…" : word)}\" is no wait: a whole number with ms, s, m, h or d, from "
                    + $"1ms to {Longest.TotalDays:0}d, such as 5m.";
                return false;
            }

            parsed.Add(wait);
        }

        waits = parsed.ToImmutable();
        error = null;
        return true;
    }

    private static TimeSpan? Parse(string word)
    {
        var digits = word.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits < 1 || !long.TryParse(word.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        foreach (var (unit, time) in Units)
        {
            if (word.AsSpan(digits).SequenceEqual(unit))
            {
                return number > 0 && number <= Longest.Ticks / time.Ticks ? time * number : null;
            }
        }

        return null;
    }
}
