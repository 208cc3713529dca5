using Doubles;
using Xunit;

namespace Unit.Client;

public sealed class UsageTests
{
    private readonly ConsoleInMemory _console = new();

    public static TheoryData<string, string> Mistakes() => new(DataRows.Read("mistakes.tsv"));

    public static TheoryData<string> Verbs() => new(VerbTree.Leaves().Select(Examples.PathOf));

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task AMistakeIsNamedWithWhatWasMeantBeforeAConnectionIsMade(string typed, string said)
    {
        var printed = await _console.Run(typed.Split(' '));

        Assert.Equal((ExitCode.WrongUsage, "", said + "\n", 0), (printed.Code, printed.Output, printed.Error, _console.Opens));
    }

    [Theory]
    [InlineData("logs", "query", "-timeout")]
    [InlineData("logs", "query", "--", "--timeout")]
    public async Task ANegatedTermIsNoOption(params string[] args)
    {
        await _console.Run(args);

        Assert.Equal(1, _console.Opens);
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task TheHelpOfEachVerbEndsWithAnExampleThatIsRight(string verb)
    {
        var example = Examples.All[verb];
        var args = Words(example).ToArray();
        var help = await _console.Run([.. verb.Split(' '), "--help"]);

        Assert.EndsWith($"Example:\n  {Examples.Program} {example}\n\n", help.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        var parsed = VerbTree.Root().Parse(args);
        Assert.Empty(Usage.Faults(parsed, args));
        Assert.Equal(verb, Examples.PathOf(parsed.CommandResult.Command));
    }

    [Fact]
    public void AnExampleIsOfAVerb() => Assert.Empty(Examples.All.Keys.Except(VerbTree.Leaves().Select(Examples.PathOf)));

    [Theory]
    [InlineData("bash", "complete -o default -F _complete_balanced-books balanced-books")]
    [InlineData("zsh", "#compdef balanced-books")]
    [InlineData("fish", "complete -c balanced-books -a '(balanced-books ")]
    [InlineData("pwsh", "-CommandName balanced-books ")]
    public async Task AScriptForAShellNamesTheConsoleAsItIsInstalled(string shell, string says)
    {
        var script = (await _console.Run("completion", shell)).Output;

        Assert.Contains(says, script, StringComparison.Ordinal);
        Assert.DoesNotContain("PROGRAM", script, StringComparison.Ordinal);
        Assert.Contains(
            $"<ToolCommandName>{Examples.Program}</ToolCommandName>",
            await File.ReadAllTextAsync(Path.Combine(Repository.Folder, "Client", "Client.csproj"), TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("--max-page", "--max-pages")]
    [InlineData("--pages-max", null)]
    [InlineData("lsit", "list")]
    [InlineData("x", null)]
    public void TheNearestNameIsAFewEditsAway(string typed, string? name) =>
        Assert.Equal(name, Nearest.Of(typed, ["--max-pages", "--max-depth", "list", "show"]));

    /// <summary>What is quoted for a shell is one word; what the shell does with the output is left out.</summary>
    private static IEnumerable<string> Words(string example)
    {
        var word = "";
        char? quote = null;
        foreach (var c in example.Split(" >")[0] + " ")
        {
            if (c == quote)
            {
                quote = null;
            }
            else if (quote is null && c is '\'' or '"')
            {
                quote = quote ?? c;
                word += quote == c ? "" : c;
            }
            else if (c == ' ' && quote is null)
            {
                if (word.Length > 0)
                {
                    yield return word;
                }

                word = "";
            }
            else
            {
                word += c;
            }
        }
    }
}
