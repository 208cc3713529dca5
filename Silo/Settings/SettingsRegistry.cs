using System.Collections.Immutable;
using System.Reflection;

namespace Silo.Settings;

/// <summary>
/// The settings of a silo, read from the options classes of its parts. They are bound, checked at start, and listed by <c>--help</c>; any
/// other
/// is refused as a mistake.
/// </summary>
public sealed class SettingsRegistry(IEnumerable<Type> classes)
{
    /// <summary>Levels of the log by category are free in name: <c>Logging:LogLevel:Orleans</c>.</summary>
    public const string LogLevels = "Logging:LogLevel:";

    /// <summary>The options classes, each with a constant named Section.</summary>
    public ImmutableArray<Type> Classes { get; } = [.. classes];

    public ImmutableArray<Setting> All => field.IsDefault ? field = [.. Classes.SelectMany(Of)] : field;

    public static string Section(Type options) =>
        options.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string
        ?? throw new InvalidOperationException($"{options.Name} has no constant named Section.");

    /// <summary>The settings of one options class: its properties that can be set.</summary>
    public static IEnumerable<Setting> Of(Type options) =>
        options
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true })
            .Select(property => new Setting(Section(options), property));

    public Setting? Find(string key) => All.FirstOrDefault(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase));

    public bool IsKnown(string key) => Find(key) is not null || key.StartsWith(LogLevels, StringComparison.OrdinalIgnoreCase);

    /// <summary>The setting that was probably meant, by its whole key or by its name alone; null when none is near.</summary>
    public string? Nearest(string key)
    {
        var (near, distance) = All.SelectMany(setting =>
                new[] { (setting.Key, setting.Key), (setting.Key, setting.Key[(setting.Key.IndexOf(':') + 1)..]) }
            )
            .Append((CommandLine.Instance, CommandLine.Instance))
            .Append((CommandLine.Log, CommandLine.Log))
            .Select(form => (near: form.Item1, distance: Distance(key, form.Item2)))
            .MinBy(pair => pair.distance);
        return distance <= Math.Max(2, key.Length / 3) ? near : null;
    }

    /// <summary>How many characters have to be added, dropped or changed to make one text of the other, without case.</summary>
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var same = char.ToUpperInvariant(one[i - 1]) == char.ToUpperInvariant(other[j - 1]);
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
