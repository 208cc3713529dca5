using System.Collections.Immutable;
using System.Globalization;

namespace Grains.Logs.Segments;

/// <summary>How long each class of records is kept, counted from the hour in which they arrived.</summary>
public sealed class RetentionClasses
{
    /// <summary>Of records that no rule routes elsewhere.</summary>
    public const string Default = "default";

    /// <summary>Classes at most: a flush writes a segment for each that it holds records of.</summary>
    public const int Max = 16;

    private RetentionClasses(ImmutableSortedDictionary<string, TimeSpan> kept)
    {
        Kept = kept;
    }

    public ImmutableSortedDictionary<string, TimeSpan> Kept { get; }

    /// <summary>Reads <c>default=30,short=3</c>: names of 1 to 32 <c>[a-z0-9-]</c>, and days, more than 0.</summary>
    /// <param name="fault">A sentence, when it is not that.</param>
    public static RetentionClasses? TryParse(string text, out string fault)
    {
        var kept = ImmutableSortedDictionary.CreateBuilder<string, TimeSpan>(StringComparer.Ordinal);
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Split('=', StringSplitOptions.TrimEntries) is not [var name, var days] || !IsName(name))
            {
                fault = $"\"{part}\" is no retention class: name=days is right, the name of 1 to 32 small letters, digits and hyphens.";
                return null;
            }

            if (
                !double.TryParse(days, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                || number is <= 0 or > 36_500
            )
            {
                fault = $"\"{part}\" keeps records for \"{days}\" days; a number above 0 and at most 36500 is right.";
                return null;
            }

            if (!kept.TryAdd(name, TimeSpan.FromDays(number)))
            {
                fault = $"\"{name}\" is there twice.";
                return null;
            }
        }

        if (!kept.ContainsKey(Default) || kept.Count > Max)
        {
            fault =
                kept.Count > Max
                    ? $"There are {kept.Count} retention classes; {Max} are the most."
                    : "There is no class \"default\": default=30, say.";
            return null;
        }

        fault = "";
        return new(kept.ToImmutable());
    }

    public static bool IsName(string name) =>
        name.Length is > 0 and <= 32 && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');

    /// <summary>How long records of this class are kept; of a class that is no longer named, as long as the default.</summary>
    public TimeSpan Of(string name) => Kept.GetValueOrDefault(name, Kept[Default]);
}
