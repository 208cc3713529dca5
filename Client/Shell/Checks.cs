using System.CommandLine.Parsing;

namespace Client.Shell;

/// <summary>What is wrong as typed, found before a connection is made.</summary>
internal static class Checks
{
    /// <summary>Refuses what is no URL of http or https with a host.</summary>
    public static void IsWebUrl(ArgumentResult result)
    {
        foreach (var text in result.Tokens.Select(token => token.Value))
        {
            if (!IsWebUrl(text))
            {
                var meant =
                    IsWebUrl($"https://{text}") && !text.Contains(':', StringComparison.Ordinal)
                        ? $"; did you mean \"https://{text}\"?"
                        : "";
                result.AddError($"\"{text}\" is no URL: it would begin with http:// or https://{meant}");
            }
        }
    }

    /// <summary>Why a file that is named cannot be read, with the way out where there is one.</summary>
    public static string Unreadable(string file, Exception reason) =>
        Directory.Exists(file) ? $"\"{Terminal.Clean(file)}\" is a folder; name a file in it."
        : reason is FileNotFoundException or DirectoryNotFoundException ? $"There is no file \"{Terminal.Clean(file)}\"."
        : $"\"{Terminal.Clean(file)}\" cannot be read: {reason.Message}";

    private static bool IsWebUrl(string text) =>
        text.AsSpan().Trim() is var url
        && (url.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || url.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        && url[(url.IndexOf(':') + 3)..] is [not ('/' or '?' or '#'), ..];
}
