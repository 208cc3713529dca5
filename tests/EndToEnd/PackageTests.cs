using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Xunit;

namespace EndToEnd;

/// <summary>The packages as they would be published, packed from what was built, and the console installed from a folder of them.</summary>
public sealed class PackageTests : IDisposable
{
    private const int MaxToolBytes = 20_000_000;

    private readonly string _folder = Unique.Folder("packages");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Packages => Path.Combine(_folder, "packages");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task ThePackagesAreWholeAndTheConsoleIsInstalledFromAFolder()
    {
        // As docs/how-to/call-from-dotnet.md has it.
        var (packed, said) = await Dotnet("pack", "Orleans.sln", "-c", "Release", "--no-build", "-o", Packages);
        Assert.True(packed == 0, said);

        string[] ids = ["BalancedBooks.Client", "BalancedBooks.Console", "BalancedBooks.Contracts", "BalancedBooks.Formats"];
        Assert.Equal(
            ids.SelectMany(id => (string[])[$"{id}.0.1.0.nupkg", $"{id}.0.1.0.snupkg"]).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(Packages).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        foreach (var id in ids)
        {
            using var package = ZipFile.OpenRead(Path.Combine(Packages, $"{id}.0.1.0.nupkg"));
            Assert.Contains(package.Entries, entry => entry.FullName == "icon.png");
            Assert.Contains(package.Entries, entry => entry.FullName == "PACKAGE.md");
            using var reader = new StreamReader(await package.GetEntry($"{id}.nuspec")!.OpenAsync(Cancel));
            var description = await reader.ReadToEndAsync(Cancel);
            Assert.Contains("<license type=\"expression\">MIT</license>", description, StringComparison.Ordinal);
            Assert.DoesNotContain("id=\"Grains", description, StringComparison.Ordinal);
        }

        var tool = new FileInfo(Path.Combine(Packages, "BalancedBooks.Console.0.1.0.nupkg")).Length;
        Assert.InRange(tool, 1, MaxToolBytes);
        TestContext.Current.TestOutputHelper?.WriteLine($"The console's package has {tool / 1e6:0.0} MB.");
        await InstallsAndRuns();
    }

    private async Task InstallsAndRuns()
    {
        // No feed but the folder: what the tool needs is in its package.
        var config = Path.Combine(_folder, "nuget.config");
        await File.WriteAllTextAsync(
            config,
            $"<configuration><packageSources><clear /><add key=\"folder\" value=\"{Packages}\" /></packageSources></configuration>",
            Cancel
        );
        var tools = Path.Combine(_folder, "tools");
        var (installed, how) = await Dotnet("tool", "install", "BalancedBooks.Console", "--tool-path", tools, "--configfile", config);
        Assert.True(installed == 0, how);

        var command = Path.Combine(tools, "balanced-books");
        var (code, help) = await Run(command, "--help");
        Assert.True(code == 0, help);
        Assert.Contains("crawl", help, StringComparison.Ordinal);
        var (without, noSilo) = await Run(command, "demo", "--silo", _folder);
        Assert.Equal(1, without);
        Assert.Contains("There is no silo at", noSilo, StringComparison.Ordinal);
        var (demo, story) = await Run(command, "demo", "--silo", AppContext.BaseDirectory, "--json");
        Assert.True(demo == 0, story);
        var verdict = JsonElement.Parse(story);
        Assert.Equal(
            (true, 120, 1),
            (verdict.GetProperty("ok").GetBoolean(), verdict.GetProperty("pages").GetInt32(), verdict.GetProperty("kills").GetInt32())
        );
    }

    private Task<(int Code, string Said)> Dotnet(params string[] args) => Run(SiloProcess.DotNet, args);

    private async Task<(int Code, string Said)> Run(string program, params string[] args)
    {
        var start = new ProcessStartInfo(program, args)
        {
            WorkingDirectory = Repository.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_ROOT"] = Path.GetDirectoryName(SiloProcess.DotNet)!,
                ["DOTNET_CLI_HOME"] = _folder,
                ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
                ["DOTNET_NOLOGO"] = "1",
                ["MSBUILDDISABLENODEREUSE"] = "1",
            },
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await Wait.For(process.WaitForExitAsync(Cancel), $"'{Path.GetFileName(program)} {string.Join(' ', args)}' to end");
        return (process.ExitCode, await output + await error);
    }
}
