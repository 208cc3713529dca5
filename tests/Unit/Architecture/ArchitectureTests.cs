using System.Diagnostics;
using System.Text.RegularExpressions;
using Doubles;
using Grains.Interfaces.Orders;
using Structure;
using Xunit;

namespace Unit.Architecture;

/// <summary>
/// The layers of the product, read from the IL of its assemblies (<see cref="AssemblyReader"/>).
/// The analyzer IDE0130 holds namespaces to folders.
/// </summary>
public sealed partial class ArchitectureTests
{
    /// <summary>The systems, which have a folder of the same name in every project.</summary>
    private static readonly string[] s_systems = ["Crawling", "Logs", "Orders"];

    [Theory]
    [InlineData("Grains.Interfaces")]
    [InlineData("Grains")]
    [InlineData("Silo")]
    [InlineData("Client")]
    public void NoFolderReachesBackToOneThatReachesIt(string assembly) => Assert.Empty(Cycles(Read(assembly), assembly));

    [Fact]
    public void NothingBelowAnIdeaOfASystemNamesOrleans() => Assert.Empty(OrleansBelow(Read("Grains"), "Grains"));

    [Theory]
    [InlineData("Grains")]
    [InlineData("Silo")]
    public void SystemsMeetInContractsOnly(string assembly) => Assert.Empty(BetweenSystems(Read(assembly), s_systems));

    [Fact]
    public void TheConsoleKnowsNeitherASiloNorAStore() => Assert.DoesNotContain(AssemblyReader.References(PathOf("Client")), IsOfSilo);

    [Theory]
    [InlineData("Grains")]
    [InlineData("Silo")]
    public void AGrainIsShortOrSaysAtItsTopWhyItIsNot(string assembly)
    {
        var sources = SourceFile.In(Repository.Folder, assembly).ToList();
        var grains = AssemblyReader.Grains(PathOf(assembly)).Select(grain => GrainSource.Of(grain, sources)).ToList();

        Assert.DoesNotContain(grains, grain => grain.Lines == 0);
        Assert.DoesNotContain(grains, IsTooLong);
    }

    /// <summary>A file had been split up, and the walk through the code went on naming it.</summary>
    [Fact]
    public void EveryFileThatTheWalksThroughTheCodeNameIsThere()
    {
        var named = NamedFile().Matches(File.ReadAllText(Path.Combine(Repository.Folder, "docs", "architecture.md")));
        string[] sources = ["Client", "Grains", "Grains.Interfaces", "Silo"];
        var files = sources
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Folder, folder), "*.cs", SearchOption.AllDirectories))
            .ToList();

        Assert.True(named.Count > 30, $"Only {named.Count} files are named.");
        Assert.All(named, name => Assert.Contains(files, file => file.EndsWith("/" + name.Groups[1].Value, StringComparison.Ordinal)));
    }

    [Fact]
    public void AGrainIsTooLongWithAllItsPartsAndNotWithItsLogMessagesOrASentenceAboveItsClass()
    {
        var half = Enumerable.Repeat("", GrainSource.MaxLines / 2 + 1).ToArray();
        SourceFile main = new("Grains", "Grains/Logs", "TailGrain.cs", ["public class TailGrain", .. half]);
        SourceFile said = main with { Lines = ["/// Over 150 lines,", "/// because it has to be.", .. main.Lines] };
        SourceFile late = main with { Lines = [.. main.Lines, "/// Over 150 lines, because it has to be."] };
        SourceFile time = new("Grains", "Grains/Logs", "TailGrain.Time.cs", half);
        SourceFile log = time with { Name = "TailGrain.Log.cs" };
        SourceFile other = time with { Name = "TailGrains.cs" };

        Assert.True(IsTooLong(GrainSource.Of("Grains.Logs.TailGrain", [main, time])));
        Assert.True(IsTooLong(GrainSource.Of("Grains.Logs.TailGrain", [late, time])));
        Assert.False(IsTooLong(GrainSource.Of("Grains.Logs.TailGrain", [main, log, other])));
        Assert.False(IsTooLong(GrainSource.Of("Grains.Logs.TailGrain", [said, time])));
    }

    [Fact]
    public void ACycleIsFoundWhetherABodyAnAttributeOrAGenericArgumentClosesIt()
    {
        const string Samples = "Unit.Architecture.Samples";

        Assert.Equal(
            [$"{Samples}.Attributes, {Samples}.Bodies, {Samples}.Generics"],
            Cycles(AssemblyReader.Read(PathOf("Unit"), Samples), Samples)
        );
    }

    [Fact]
    public void OrleansIsFoundBelowAnIdeaAndNotAtTheRootOfASystem()
    {
        TypeUse root = new("Grains.Logs", "Grains.Logs.TailGrain", "Orleans.Core.Abstractions", "Orleans", "Orleans.Grain");
        TypeUse idea = root with { Folder = "Grains.Logs.Rules", Type = "Grains.Logs.Rules.RuleList" };
        TypeUse system = idea with { UsedAssembly = "System.Runtime" };

        Assert.Equal([idea], OrleansBelow([root, idea, system], "Grains"));
    }

    [Fact]
    public void ASystemThatNamesAnotherIsFoundAndOneThatNamesItsContractIsNot()
    {
        TypeUse other = new("Silo.Logs", "Silo.Logs.Feed", "Silo", "Silo.Crawling", "Silo.Crawling.CrawlEvents");
        TypeUse below = other with { UsedAssembly = "Grains", UsedFolder = "Grains.Orders.Mail" };
        TypeUse own = other with { UsedAssembly = "Grains", UsedFolder = "Grains.Logs.Rules" };
        TypeUse contract = other with { UsedAssembly = "Grains.Interfaces", UsedFolder = "Grains.Interfaces.Crawling" };

        Assert.Equal([other, below], BetweenSystems([other, below, own, contract], s_systems));
    }

    [Theory]
    [InlineData("Silo")]
    [InlineData("Grains")]
    [InlineData("Microsoft.Data.Sqlite")]
    [InlineData("Azure.Data.Tables")]
    public void AnAssemblyOfTheSiloOrOfAStoreIsKnownAsOne(string assembly) => Assert.True(IsOfSilo(assembly));

    [Fact]
    public void TheContractsAreNoneOfTheSilo() => Assert.False(IsOfSilo("Grains.Interfaces"));

#if !DEBUG
    [Fact]
    public void AStackTraceNamesFilesFromTheCheckoutOnAndNoFolderOfTheMachineThatBuiltIt()
    {
        var thrown = Assert.Throws<FormatException>(() => SubscriberKey.Parse("?"));
        Assert.Equal(
            "/_/Grains.Interfaces/Orders/ISubscriberGrain.cs",
            new StackTrace(thrown, fNeedFileInfo: true).GetFrame(0)?.GetFileName()
        );
    }
#endif

    private static string PathOf(string assembly) => Path.Combine(AppContext.BaseDirectory, assembly + ".dll");

    private static IReadOnlyCollection<TypeUse> Read(string assembly) => AssemblyReader.Read(PathOf(assembly), assembly);

    private static IEnumerable<string> Cycles(IEnumerable<TypeUse> uses, string root) =>
        new FolderGraph(uses, root).Cycles.Select(cycle => string.Join(", ", cycle));

    private static IEnumerable<TypeUse> OrleansBelow(IEnumerable<TypeUse> uses, string root) =>
        uses.Where(use =>
            use.UsedAssembly.StartsWith("Orleans.", StringComparison.Ordinal)
            && use.Folder.Count(letter => letter == '.') > root.Count(letter => letter == '.') + 1
        );

    /// <summary>What the folder of one system in an assembly names of another system, except its contracts.</summary>
    private static IEnumerable<TypeUse> BetweenSystems(IEnumerable<TypeUse> uses, string[] systems) =>
        uses.Where(use =>
            SystemOf(use.Folder) is { } one
            && use.UsedAssembly is "Grains" or "Silo"
            && SystemOf(use.UsedFolder) is { } other
            && one != other
        );

    /// <summary>The second part of a namespace when it names a system; null otherwise.</summary>
    private static string? SystemOf(string folder) => folder.Split('.') is [_, var part, ..] && s_systems.Contains(part) ? part : null;

    [GeneratedRegex("`([A-Za-z./]+\\.cs)`")]
    private static partial Regex NamedFile();

    private static bool IsTooLong(GrainSource grain) => grain.Lines > GrainSource.MaxLines && !grain.SaysWhy;

    private static bool IsOfSilo(string assembly) =>
        assembly is "Silo" or "Grains"
        || Array.Exists(["Azure.", "Microsoft.Data.Sqlite", "DuckDB."], store => assembly.StartsWith(store, StringComparison.Ordinal));
}
