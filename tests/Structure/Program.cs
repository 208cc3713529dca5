using System.Globalization;
using Structure;

// Counts the structure of a checkout that was built in Release: dotnet run -c Release --project tests/Structure [-- CHECKOUT]
var checkout = Path.GetFullPath(args is [var given, ..] ? given : ".");
string[] projects = ["Grains.Interfaces", "Grains", "Silo", "Client"];
var sources = projects.SelectMany(project => SourceFile.In(checkout, project)).ToArray();

Console.WriteLine("| assembly | folders | in cycles | arrows | lines |");
Console.WriteLine("|---|--:|--:|--:|--:|");
var cycles = new List<string>();
foreach (var project in projects)
{
    var graph = new FolderGraph(AssemblyReader.Read(AssemblyOf(project), project), project);
    cycles.AddRange(graph.Cycles.Select(cycle => string.Join(", ", cycle)));
    Row(
        project,
        Count(graph.Folders.Count),
        Count(graph.Cycles.Sum(cycle => cycle.Length)),
        Count(graph.Arrows),
        Count(sources.Where(file => file.Project == project).Sum(file => file.Lines))
    );
}

Row("all", "", "", "", Count(sources.Sum(file => file.Lines)));
Console.WriteLine();
foreach (var cycle in cycles)
{
    Console.WriteLine($"- cycle: {cycle}");
}

Console.WriteLine();
Console.WriteLine("| grain | lines with its partials, without log messages |");
Console.WriteLine("|---|--:|");
var grains = projects
    .SelectMany(project => AssemblyReader.Grains(AssemblyOf(project)).Select(Length))
    .OrderByDescending(grain => grain.Lines);
foreach (var (name, lines) in grains.Take(10))
{
    Row(name, Count(lines));
}

var console = new DirectoryInfo(Path.GetDirectoryName(AssemblyOf("Client"))!);
var bytes = console.EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
Console.WriteLine();
Console.WriteLine($"Output of Client: {(bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture)} MB");
Console.WriteLine();
Console.WriteLine("| folder | lines |");
Console.WriteLine("|---|--:|");
foreach (var folder in sources.GroupBy(file => file.Folder).OrderBy(folder => folder.Key, StringComparer.Ordinal))
{
    Row(folder.Key, Count(folder.Sum(file => file.Lines)));
}

// Libraries are read in the output of Silo, where what they refer to lies beside them.
string AssemblyOf(string project) =>
    Path.Combine(checkout, project == "Client" ? "Client" : "Silo", "bin", "Release", "net10.0", project + ".dll");

(string Name, int Lines) Length(string grain)
{
    var name = grain[(grain.LastIndexOf('.') + 1)..];
    var files = sources.Where(file => file.Name == name + ".cs" || file.Name.StartsWith(name + ".", StringComparison.Ordinal));
    return (name, files.Where(file => !file.Name.EndsWith(".Log.cs", StringComparison.Ordinal)).Sum(file => file.Lines));
}

static string Count(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

static void Row(params string[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");

/// <summary>A source file that a person wrote.</summary>
/// <param name="Folder">Below the checkout, with its project.</param>
/// <param name="Name">Without its folder.</param>
internal sealed record SourceFile(string Project, string Folder, string Name, int Lines)
{
    public static IEnumerable<SourceFile> In(string checkout, string project) =>
        from path in Directory.EnumerateFiles(Path.Combine(checkout, project), "*.cs", SearchOption.AllDirectories)
        let folder = Path.GetRelativePath(checkout, Path.GetDirectoryName(path)!).Replace('\\', '/')
        where !folder.Split('/').Any(part => part is "bin" or "obj")
        select new SourceFile(project, folder, Path.GetFileName(path), File.ReadLines(path).Count());
}
