using System.Globalization;
using Microsoft.Extensions.Options;

namespace Silo.Settings;

/// <summary>Binds what was set, from whatever source, and checks it before anything is built on it.</summary>
public static class SettingsCheck
{
    /// <summary>
    /// Writes durations in the form that binding understands, whatever source they came from: <c>5s</c> becomes <c>00:00:05</c>. What is no
    /// duration stays, to be told by <see cref="Problems"/>.
    /// </summary>
    public static void ReadDurations(IConfigurationManager configuration, SettingsRegistry settings) =>
        configuration.AddInMemoryCollection(
            settings
                .All.Where(setting => setting.IsDuration)
                .Select(setting => (setting.Key, Text: configuration[setting.Key]))
                .Where(set => set.Text is not null && Setting.TryReadDuration(set.Text, out _))
                .Select(set =>
                    KeyValuePair.Create<string, string?>(
                        set.Key,
                        Setting.TryReadDuration(set.Text!, out var duration) ? duration.ToString("c", CultureInfo.InvariantCulture) : null
                    )
                )
                .ToArray()
        );

    /// <summary>What is wrong, one sentence each; empty when the silo may start.</summary>
    public static IReadOnlyList<string> Problems(IConfiguration configuration, SettingsRegistry settings)
    {
        var unknown = settings
            .Classes.SelectMany(options => configuration.GetSection(SettingsRegistry.Section(options)).AsEnumerable())
            .Where(pair => pair.Value is not null && pair.Key.Contains(':') && settings.Find(pair.Key) is null)
            .Select(pair => Unknown(settings, pair.Key, ""));
        var wrong = settings
            .All.Select(setting => configuration[setting.Key] is { } text ? setting.ProblemWithText(text) : null)
            .OfType<string>();
        return [.. unknown, .. wrong];
    }

    /// <summary>The sentence for a setting that does not exist.</summary>
    /// <param name="prefix">How settings are written where it stood: <c>--</c> on the command line.</param>
    public static string Unknown(SettingsRegistry settings, string key, string prefix) =>
        settings.Nearest(key) is { } near
            ? $"There is no setting {prefix}{key}; the nearest one is {prefix}{near}. --help lists all."
            : $"There is no setting {prefix}{key}. --help lists all.";

    /// <summary>Binds an options class to its section, and checks it again when the silo starts.</summary>
    public static IServiceCollection AddSettings<T>(this IServiceCollection services, IConfiguration configuration)
        where T : class
    {
        services.AddOptions<T>().Bind(configuration.GetSection(SettingsRegistry.Section(typeof(T)))).ValidateOnStart();
        return services.AddSingleton<IValidateOptions<T>, Validator<T>>();
    }

    /// <summary>
    /// An options class as it is set, before there are services; its defaults where nothing is. Each setting must be valid.
    /// </summary>
    public static T Read<T>(this IConfiguration configuration)
        where T : new() => configuration.GetSection(SettingsRegistry.Section(typeof(T))).Get<T>() ?? new();

    private sealed class Validator<T> : IValidateOptions<T>
        where T : class
    {
        public ValidateOptionsResult Validate(string? name, T options)
        {
            string[] problems = [.. SettingsRegistry.Of(typeof(T)).Select(setting => setting.ProblemIn(options)).OfType<string>()];
            return problems.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
        }
    }
}
