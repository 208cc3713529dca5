using System.Collections.Immutable;
using Doubles;
using Unit.Silo;
using Xunit;

namespace Unit.Reference;

/// <summary>
/// The pages of <c>docs/reference</c>, which the program writes about itself. With the environment variable <see cref="Write"/> they are
/// written anew; else each is held against what the program says.
/// </summary>
public sealed class ReferenceTests
{
    private const string Write = "WRITE_REFERENCE";

    private const string Command = $"{Write}=1 dotnet run -c Release --project tests/Unit -- --filter-class Unit.Reference.ReferenceTests";

    /// <summary>Names of files below <c>docs/reference</c>, and what they are to say.</summary>
    private static readonly ImmutableSortedDictionary<string, Func<Task<string>>> s_pages = ImmutableSortedDictionary.CreateRange(
        StringComparer.Ordinal,
        [
            new KeyValuePair<string, Func<Task<string>>>("exit-codes.md", () => Task.FromResult(ReferencePages.ExitCodes())),
            new("metrics.md", ReferencePages.Metrics),
            new("openapi.json", async () => await DescribedSilo.OpenApi() + "\n"),
            new("problems.md", ReferencePages.Problems),
            new("settings.md", () => Task.FromResult(ReferencePages.Settings())),
            new("verbs.md", () => Task.FromResult(ReferencePages.Verbs())),
        ]
    );

    public static TheoryData<string> Pages => [.. s_pages.Keys];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task APageSaysWhatTheProgramSays(string page)
    {
        var path = Path.Combine(Repository.Folder, "docs", "reference", page);
        var says = (await s_pages[page]()).ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable(Write) is { Length: > 0 })
        {
            await File.WriteAllTextAsync(path, says, TestContext.Current.CancellationToken);
        }

        var written = File.Exists(path) ? await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken) : "";
        Assert.True(says == written.ReplaceLineEndings("\n"), $"docs/reference/{page} is out of date. Write it anew: {Command}");
    }

    [Fact]
    public void NoOtherPageIsInTheFolder() =>
        Assert.Equal(
            s_pages.Keys,
            Directory.GetFiles(Path.Combine(Repository.Folder, "docs", "reference")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
}
