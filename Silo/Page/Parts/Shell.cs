using System.Text;

namespace Silo.Page.Parts;

/// <summary>Texts as a shell takes them as one argument.</summary>
internal static class Shell
{
    public static string Quote(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:@%+=,".Contains(c, StringComparison.Ordinal))
            ? text
            : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>A command, with what is null or empty left out.</summary>
    public static string Command(string verb, params ReadOnlySpan<(string Option, string? Value)> options)
    {
        var command = new StringBuilder(verb);
        foreach (var (option, value) in options)
        {
            if (!string.IsNullOrEmpty(value))
            {
                command.Append(' ').Append(option).Append(option.Length > 0 ? " " : "").Append(Quote(value));
            }
        }

        return command.ToString().Replace("  ", " ", StringComparison.Ordinal);
    }
}
