using System.Collections.Immutable;
using System.Reflection;
using Grains.Interfaces.Values;

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
            .Select(form => (near: form.Item1, distance: Spelling.Edits(key, form.Item2)))
            .MinBy(pair => pair.distance);
        return distance <= Math.Max(2, key.Length / 3) ? near : null;
    }
}
