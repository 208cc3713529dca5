using Silo.StartUp;

namespace Silo.Settings;

/// <summary>What <c>--help</c> prints, made from the options classes.</summary>
public static class HelpText
{
    public const int MinWidth = 80;

    public const int MaxWidth = 120;

    /// <param name="width">Columns of the terminal; kept between <see cref="MinWidth"/> and <see cref="MaxWidth"/>.</param>
    public static string For(int width, SettingsRegistry settings)
    {
        width = Math.Clamp(width, MinWidth, MaxWidth);
        var lines = new List<string>();
        Wrap(lines, $"{About.Name} {About.Version}: {About.Purpose}", "", width);
        lines.Add("");
        lines.Add("Usage:  Silo [--Section:Name value]... [--instance N] [--help] [--version]");
        lines.Add("        Silo --restore DIR [--Storage:Path DIR]");
        lines.Add("        dotnet run -c Release --project Silo -- [the same]");
        lines.Add("");
        Wrap(
            lines,
            "Settings come from appsettings.json beside the program, from environment variables, and from the command line; the "
                + "later of these wins.",
            "",
            width
        );
        foreach (var setting in settings.All)
        {
            lines.Add("");
            lines.Add($"  --{setting.Key} <{setting.Form}>");
            Wrap(lines, setting.Meaning, "      ", width);
            lines.Add($"      Default: {(setting.Default.Length == 0 ? "empty" : setting.Default)}.  Environment: {setting.Environment}");
        }

        lines.Add("");
        lines.Add($"  --{SettingsRegistry.LogLevels}CATEGORY <Debug|Information|Warning|Error|None>");
        Wrap(
            lines,
            "What is written to the log, by the start of its category: Default, Silo, Grains, Orleans, Microsoft.",
            "      ",
            width
        );
        lines.Add("      Default: Information for Silo and Grains, Warning for the others.");
        lines.Add($"      Environment: {SettingsRegistry.LogLevels.Replace(":", "__", StringComparison.Ordinal)}CATEGORY");
        lines.Add("");
        lines.Add("  --instance <number>   Short for --Instance:Number.");
        lines.Add("  --log <Line|Json>     Short for --Log:Format.");
        lines.Add("  --restore <folder>    Make an empty data folder of a backup, and end.");
        lines.Add("  --help, -h            This text.");
        lines.Add("  --version             The version alone.");
        lines.Add("");
        Wrap(
            lines,
            "Metrics, traces and the log go to an OpenTelemetry collector as well when its standard environment variables say "
                + "where: OTEL_EXPORTER_OTLP_ENDPOINT and its kin.",
            "",
            width
        );
        lines.Add("");
        lines.Add("Exit codes:");
        foreach (var (code, meaning) in ExitCodes.All)
        {
            lines.Add($"  {code, 3}  {meaning}");
        }

        return string.Join(Environment.NewLine, lines);
    }

    private static void Wrap(List<string> lines, string sentence, string indent, int width)
    {
        var line = indent;
        foreach (var word in sentence.Split(' '))
        {
            if (line.Length > indent.Length && line.Length + 1 + word.Length > width)
            {
                lines.Add(line);
                line = indent;
            }

            line += (line.Length > indent.Length ? " " : "") + word;
        }

        lines.Add(line);
    }
}
