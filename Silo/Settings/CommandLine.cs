using System.Collections.Immutable;

namespace Silo.Settings;

/// <summary>What was typed after the program's name.</summary>
/// <param name="Values">Settings by key; one that stands twice has its last value.</param>
/// <param name="Restore">The folder of a backup of which the data folder is made, in place of starting; null when a silo is to
/// start.</param>
/// <param name="Problem">What cannot be understood, in a sentence; null when all can.</param>
public sealed record CommandLine(
    ImmutableDictionary<string, string?> Values,
    bool Help = false,
    bool Version = false,
    string? Problem = null,
    string? Restore = null
)
{
    /// <summary>Short for <c>Instance:Number</c>.</summary>
    public const string Instance = "instance";

    /// <summary>Short for <c>Log:Format</c>.</summary>
    public const string Log = "log";

    /// <summary>
    /// Understands <c>--Section:Name value</c>, <c>--Section:Name=value</c>, <c>--instance N</c>, <c>--log json</c>,
    /// <c>--restore DIR</c>, <c>--help</c>, <c>-h</c> and <c>--version</c>.
    /// </summary>
    public static CommandLine Parse(IReadOnlyList<string> args, SettingsRegistry settings)
    {
        var line = new CommandLine(ImmutableDictionary.Create<string, string?>(StringComparer.OrdinalIgnoreCase));
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (arg is "--help" or "-h" or "-?")
            {
                return line with { Help = true };
            }

            if (arg is "--version")
            {
                return line with { Version = true };
            }

            if (arg is "--restore")
            {
                if (i + 1 == args.Count || args[i + 1].StartsWith("--", StringComparison.Ordinal))
                {
                    return line with { Problem = "--restore needs the folder of a backup after it." };
                }

                line = line with { Restore = args[++i] };
                continue;
            }

            if (!arg.StartsWith("--", StringComparison.Ordinal) || arg.Length == 2)
            {
                return line with { Problem = $"\"{arg}\" is not understood: a setting is written --Section:Name value. --help lists all." };
            }

            var equals = arg.IndexOf('=');
            var typed = equals < 0 ? arg[2..] : arg[2..equals];
            var key =
                typed.Equals(Instance, StringComparison.OrdinalIgnoreCase) ? "Instance:Number"
                : typed.Equals(Log, StringComparison.OrdinalIgnoreCase) ? "Log:Format"
                : typed;
            if (!settings.IsKnown(key))
            {
                return line with { Problem = SettingsCheck.Unknown(settings, typed, "--") };
            }

            var value =
                equals >= 0 ? arg[(equals + 1)..]
                : i + 1 < args.Count ? args[++i]
                : null;
            if (value is null || (equals < 0 && value.StartsWith("--", StringComparison.Ordinal)))
            {
                return line with { Problem = $"--{typed} needs a value after it." };
            }

            line = line with { Values = line.Values.SetItem(key, value) };
        }

        return line;
    }
}
