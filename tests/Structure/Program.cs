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
        Count(sources.Where(file => file.Project == project).Sum(file => file.Lines.Count))
    );
}

Row("all", "", "", "", Count(sources.Sum(file => file.Lines.Count)));
Console.WriteLine();
foreach (var cycle in cycles)
{
    Console.WriteLine($"- cycle: {cycle}");
}

Console.WriteLine();
Console.WriteLine("| grain | lines with its partials, without log messages |");
Console.WriteLine("|---|--:|");
var grains = projects
    .SelectMany(project => AssemblyReader.Grains(AssemblyOf(project)).Select(grain => GrainSource.Of(grain, sources)))
    .OrderByDescending(grain => grain.Lines);
foreach (var grain in grains.Take(10))
{
    Row(grain.Name, Count(grain.Lines));
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
    Row(folder.Key, Count(folder.Sum(file => file.Lines.Count)));
}

// Libraries are read in the output of Silo, where what they refer to lies beside them.
string AssemblyOf(string project) =>
    Path.Combine(checkout, project == "Client" ? "Client" : "Silo", "bin", "Release", "net10.0", project + ".dll");

static string Count(int number) => number.ToString("N0", CultureInfo.InvariantCulture);

static void Row(params string[] cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");
