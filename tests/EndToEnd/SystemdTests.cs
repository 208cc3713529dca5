using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace EndToEnd;

/// <summary>The unit for systemd is one that systemd understands, keeps the silo to what it needs, and sets settings that exist.</summary>
public sealed partial class SystemdTests : IDisposable
{
    /// <summary>Of systemd's scale from 0.0 to 10.0, in tenths: below 2.0 it calls a unit OK.</summary>
    private const int MaxExposure = 20;

    private readonly string _folder = Unique.Folder("systemd");

    private static string Unit => Path.Combine(Repository.Folder, "infra", "orleans-silo.service");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task TheUnitIsUnderstoodAndLeavesTheSiloNoMoreThanItNeeds()
    {
        // The program is not installed on this machine: any other takes its place.
        var unit = Path.Combine(_folder, "orleans-silo.service");
        var text = await File.ReadAllTextAsync(Unit, TestContext.Current.CancellationToken);
        Assert.Contains("ExecStart=/opt/orleans-silo/Silo\n", text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            unit,
            text.Replace("/opt/orleans-silo/Silo", "/bin/true", StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );

        var (verified, said) = await Analyze("verify", unit);
        Assert.True(verified == 0 && said.Length == 0, said);
        var (secure, exposure) = await Analyze("security", "--offline=true", $"--threshold={MaxExposure}", "--no-pager", unit);
        Assert.True(secure == 0, exposure);
    }

    [Fact]
    public void TheUnitSetsOnlySettingsThatExist()
    {
        var settings = Variable().Matches(File.ReadAllText(Unit)).Select(match => match.Groups[1].Value).ToList();

        Assert.Contains("Storage__Path", settings);
        Assert.All(settings.Where(name => !name.StartsWith("DOTNET_", StringComparison.Ordinal)), name =>
            Assert.True(global::Silo.Program.Modules.Settings.IsKnown(name.Replace("__", ":", StringComparison.Ordinal)), name)
        );
    }

    private static async Task<(int Code, string Said)> Analyze(params string[] args)
    {
        const string Program = "/usr/bin/systemd-analyze";
        Assert.SkipWhen(!File.Exists(Program) && Environment.GetEnvironmentVariable("CI") is null, "There is no systemd-analyze.");
        using var process = Process.Start(
            new ProcessStartInfo(Program, args) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await Wait.For(process.WaitForExitAsync(TestContext.Current.CancellationToken), "systemd-analyze to end");
        return (process.ExitCode, await output + await error);
    }

    [GeneratedRegex("^Environment=([^=]+)=", RegexOptions.Multiline)]
    private static partial Regex Variable();
}
