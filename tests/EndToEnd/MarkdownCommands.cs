using System.Text.RegularExpressions;

namespace EndToEnd;

/// <summary>One command of a page: a line, or several that a backslash joins.</summary>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="LeftOut">Why the page says that it is not run; null when it is.</param>
internal sealed record MarkdownCommand(int Line, string Text, string? LeftOut);

/// <summary>
/// The commands of a page of Markdown: what stands between <c>```sh</c> and <c>```</c>. A block that begins with <c>```sh no-run:
/// REASON</c> is not run; the reason is not shown to
/// readers. A command between other fences is a fault of the page: nobody would run it.
/// </summary>
internal sealed partial record MarkdownCommands(string Page, IReadOnlyList<MarkdownCommand> Commands, IReadOnlyList<string> Unmarked)
{
    private const string Fence = "```";
    private const string NoRun = "no-run:";

    private static readonly string[] s_notOurs = ["bin", "obj", "node_modules", "TestResults", "data"];

    /// <summary>The pages below a folder, without those that a build or a package has put there.</summary>
    public static IEnumerable<string> Pages(string folder) =>
        Directory
            .EnumerateDirectories(folder)
            .Where(below => Path.GetFileName(below) is var name && !name.StartsWith('.') && !s_notOurs.Contains(name))
            .SelectMany(Pages)
            .Concat(Directory.EnumerateFiles(folder, "*.md"))
            .Order(StringComparer.Ordinal);

    public static MarkdownCommands Read(string page, IReadOnlyList<string> lines)
    {
        var (commands, unmarked) = (new List<MarkdownCommand>(), new List<string>());
        string? fence = null;
        for (var at = 0; at < lines.Count; at++)
        {
            var line = lines[at].Trim();
            if (line.StartsWith(Fence, StringComparison.Ordinal))
            {
                fence = fence is null ? line[Fence.Length..].Trim() : null;
            }
            else if (fence is not null && IsShell(fence) && line.Length > 0 && line[0] != '#')
            {
                var first = at;
                var text = lines[at];
                while (text.EndsWith('\\') && at + 1 < lines.Count)
                {
                    text += "\n" + lines[++at];
                }

                commands.Add(new(first + 1, text, Reason(fence)));
            }
            else if (fence is not null && !IsShell(fence) && LooksLikeACommand().IsMatch(line))
            {
                unmarked.Add($"{page}:{at + 1} looks like a command, and its block does not begin with {Fence}sh: {line}");
            }
        }

        return new(page, commands, unmarked);
    }

    private static bool IsShell(string fence) => fence.Split(' ')[0] is "sh" or "bash" or "shell" or "console";

    private static string? Reason(string fence)
    {
        var at = fence.IndexOf(NoRun, StringComparison.Ordinal);
        return at < 0 ? null
            : fence[(at + NoRun.Length)..].Trim() is { Length: > 0 } reason ? reason
            : "no reason is given";
    }

    [GeneratedRegex(@"^(\$ |dotnet |curl |docker |az |npm |\./|[A-Z_]+=\S* *(dotnet|curl)|[A-Z_]+=\$\()")]
    private static partial Regex LooksLikeACommand();
}
