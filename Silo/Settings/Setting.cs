using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Grains.Interfaces.Values;

namespace Silo.Settings;

/// <summary>One setting: a property of an options class, with its meaning, its default and what is accepted.</summary>
public sealed class Setting
{
    private readonly PropertyInfo _property;

    public Setting(string section, PropertyInfo property)
    {
        _property = property;
        Key = $"{section}:{property.Name}";
        Meaning = property.GetCustomAttribute<DescriptionAttribute>()?.Description
            ?? throw new InvalidOperationException($"{Key} has no [Description]; every setting says what it means.");
        var value = property.GetValue(Activator.CreateInstance(property.DeclaringType!));
        Default = Text(value);
    }

    /// <summary><c>Section:Name</c>, as in a settings file; compared without case.</summary>
    public string Key { get; }

    public string Environment => Key.Replace(":", "__", StringComparison.Ordinal);

    /// <summary>Complete sentences.</summary>
    public string Meaning { get; }

    public string Default { get; }

    /// <summary>
    /// What stands for the value in the help: <c>number</c>, <c>text</c>, <c>duration</c>, or the words that are accepted.
    /// </summary>
    public string Form =>
        Type switch
        {
            { IsEnum: true } => string.Join('|', Enum.GetNames(Type)),
            _ when Type == typeof(bool) => "true|false",
            _ when IsDuration => "duration",
            _ when Type == typeof(string) => "text",
            _ => "number",
        };

    /// <summary>A span of time: <see cref="Durations"/> says how it is written.</summary>
    public bool IsDuration => Type == typeof(TimeSpan);

    private Type Type => _property.PropertyType;

    /// <summary>What is wrong with a text for this setting, in a sentence; null when it is accepted.</summary>
    public string? ProblemWithText(string text) =>
        TryRead(text, out var value) ? ProblemWith(value) : $"{Key} is \"{text}\"; " + $"{Accepted()}.";

    /// <summary>What is wrong with the setting's value in <paramref name="options"/>, in a sentence; null when it is accepted.</summary>
    public string? ProblemIn(object options) => ProblemWith(_property.GetValue(options));

    private string? ProblemWith(object? value)
    {
        var refused = _property.GetCustomAttributes<ValidationAttribute>().FirstOrDefault(rule => !Passes(rule, value));
        return refused switch
        {
            null => null,
            RangeAttribute => $"{Key} is {Text(value)}; {Accepted()}.",
            _ when _property.GetCustomAttribute<PasswordPropertyTextAttribute>() is { Password: true } => refused.FormatErrorMessage(Key),
            _ => $"{refused.FormatErrorMessage(Key)} This is \"{Text(value)}\".",
        };
    }

    /// <summary>An empty text is looked at too, which the attribute itself leaves to others.</summary>
    private static bool Passes(ValidationAttribute rule, object? value) =>
        rule is RegularExpressionAttribute { Pattern: var pattern } && value is "" ? Regex.IsMatch("", pattern) : rule.IsValid(value);

    private string Accepted()
    {
        var range = _property.GetCustomAttribute<RangeAttribute>();
        var bounds = range is null ? "" : $" from {Bound(range.Minimum)} to {Bound(range.Maximum)}";
        return Type switch
        {
            { IsEnum: true } => $"this build knows {string.Join(", ", Enum.GetNames(Type))}",
            _ when Type == typeof(bool) => "it is true or false",
            _ when IsDuration => $"it is a duration such as 500ms, 5s, 2m, 1h or 30d{bounds}",
            _ when Type == typeof(int) || Type == typeof(long) => $"it is a whole number{bounds}",
            _ => $"it is a number{bounds}",
        };
    }

    /// <summary>As it is typed.</summary>
    private static string Text(object? value) =>
        value is TimeSpan duration ? Durations.Format(duration) : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>Bounds of durations stand in their attribute as <c>hh:mm:ss</c>, until it was asked first.</summary>
    private string Bound(object bound) =>
        IsDuration && bound is string text ? Text(TimeSpan.Parse(text, CultureInfo.InvariantCulture)) : Text(bound);

    /// <summary>A duration; <c>hh:mm:ss</c> too, with its colons: a bare number would be days.</summary>
    public static bool TryReadDuration(string text, out TimeSpan duration) =>
        Durations.TryParse(text.Trim(), out duration)
        || (text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out duration));

    private bool TryRead(string text, out object? value)
    {
        value = text;
        if (IsDuration)
        {
            var isRead = TryReadDuration(text, out var duration);
            value = duration;
            return isRead;
        }

        if (Type == typeof(string))
        {
            return true;
        }

        if (Type.IsEnum)
        {
            var name = Enum.GetNames(Type).FirstOrDefault(name => name.Equals(text.Trim(), StringComparison.OrdinalIgnoreCase));
            value = name is null ? null : Enum.Parse(Type, name);
            return name is not null;
        }

        try
        {
            value = TypeDescriptor.GetConverter(Type).ConvertFromInvariantString(text);
            return value is not null;
        }
        catch (Exception unreadable) when (unreadable is FormatException or ArgumentException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }
}
