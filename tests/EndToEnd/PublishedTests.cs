using System.Diagnostics;
using Silo.Launch;
using Xunit;

namespace EndToEnd;

/// <summary>
/// The published programs as they are installed: silo and console in one folder, started by a user without rights, on a root that cannot be
/// written, with environment variables alone. <c>PUBLISHED</c> names the folder; <c>infra/publish.sh</c> makes it.
/// </summary>
[Trait("Kind", "Published")]
public sealed class PublishedTests : IDisposable
{
    private const string Variable = "PUBLISHED";

    /// <summary>Of nobody and nogroup, on every Linux.</summary>
    private const int Nobody = 65534;

    /// <summary>
    /// A mount namespace of its own, in which every mount is read-only except the folder of the data; then the silo takes this process's
    /// place, without
    /// any capability. A user other than root makes himself root of a user namespace first, and keeps his number.
    /// </summary>
    private const string ReadOnlyRoot = """
        set -euo pipefail
        mount --make-rprivate /
        mount --bind "$WRITABLE" "$WRITABLE"
        findmnt --raw --noheadings --output TARGET,FSTYPE | while read -r target type; do
            case $type in proc | sysfs | cgroup* | devpts | mqueue | nsfs | binfmt_misc) continue ;; esac
            case $target in "$WRITABLE" | /proc/* | /sys/*) continue ;; esac
            mount -o remount,bind,ro "$(printf %b "$target")" 2>/dev/null || true
        done
        if touch / 2>/dev/null || touch "$TMPDIR/probe" 2>/dev/null; then echo "The root can be written." >&2; exit 99; fi
        cd "$WRITABLE"
        unset WRITABLE
        exec setpriv $AS_USER --no-new-privs --inh-caps=-all --bounding-set=-all "$0"
        """;

    private readonly SiloPlace _place = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_place.Folder, "writable");

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task ASiloOfAUserWithoutRightsStartsOnAReadOnlyRootAndEndsWithZeroAtSigterm()
    {
        var folder = Published();
        Directory.CreateDirectory(Data);
        // Temporary folders are closed to others; this user may pass through, and write in one folder below.
        File.SetUnixFileMode(_place.Folder, File.GetUnixFileMode(_place.Folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        if (Environment.IsPrivilegedProcess)
        {
            using var chown = Process.Start("chown", [$"{Nobody}:{Nobody}", Data]);
            await chown.WaitForExitAsync(Cancel);
        }

        var starting = SiloProcess.StartCommand(
            _place,
            "unshare",
            [
                .. Environment.IsPrivilegedProcess ? (string[])["--mount"] : ["--map-root-user", "--mount"],
                "bash",
                "-c",
                ReadOnlyRoot,
                Path.Combine(folder, "Silo"),
            ],
            [
                ("WRITABLE", Data),
                ("AS_USER", Environment.IsPrivilegedProcess ? $"--reuid={Nobody} --regid={Nobody} --clear-groups" : ""),
                ("TMPDIR", _place.Folder),
                ("HOME", "/nonexistent"),
                ("DOTNET_ROOT", Path.GetDirectoryName(SiloProcess.DotNet)!),
                ("Storage__Path", Path.Combine(Data, "data")),
                .. _place.Settings.Chunk(2).Select(setting => (setting[0][2..].Replace(":", "__", StringComparison.Ordinal), setting[1])),
            ]
        );

        await using var silo = await SiloProcess.WhenReady(starting);
        await Verb(folder, silo, "ledger");
        await Verb(folder, silo, "logs", "sql", "select count(*) from logs");
        var since = Stopwatch.GetTimestamp();
        Assert.True(await silo.Stop() == 0, silo.AllSaid);

        var first = Assert.Single(silo.Output, line => line.StartsWith(Banner.Ready, StringComparison.Ordinal));
        var ready = first[first.IndexOf("after", StringComparison.Ordinal)..];
        Say($"Ready {ready}; stopped within {Stopwatch.GetElapsedTime(since).TotalSeconds:0.0} s");
        Assert.Empty(Warnings(silo));
    }

    [Fact]
    public void ThePublishedFolderHoldsOneConsoleOneSiloAndNoOtherPlatform()
    {
        var folder = Published();
        var files = new DirectoryInfo(folder).GetFiles("*", SearchOption.AllDirectories);

        Assert.Contains(files, file => file.Name == "Silo");
        Assert.Contains(files, file => file.Name == "Client");
        Assert.DoesNotContain(files, file => file.Name == "libcoreclr.so");
        Assert.DoesNotContain(files, file => file.Extension is ".xml" or ".dylib" or ".exe");
        Assert.False(Directory.Exists(Path.Combine(folder, "runtimes")), "Natives of other platforms are in runtimes/.");
        Say($"{files.Length} files, {files.Sum(file => file.Length) / 1_000_000} MB");
    }

    private async Task Verb(string folder, SiloProcess silo, params string[] verb)
    {
        var start = new ProcessStartInfo(Path.Combine(folder, "Client"), [.. verb, "--gateway", $"{_place.Gateway}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_ROOT"] = Path.GetDirectoryName(SiloProcess.DotNet)! },
        };
        using var console = Process.Start(start)!;
        var (output, error) = (console.StandardOutput.ReadToEndAsync(Cancel), console.StandardError.ReadToEndAsync(Cancel));
        await Wait.For(console.WaitForExitAsync(Cancel), $"the console's {verb[0]}", () => silo.AllSaid);
        Assert.True(console.ExitCode == ExitCode.Done, $"{await output}{await error}{silo.AllSaid}");
    }

    /// <summary>What the silo had to say against its surroundings; the disk and the clock of a machine under tests are not meant.</summary>
    private static IEnumerable<string> Warnings(SiloProcess silo) =>
        silo
            .Output.Concat(silo.Errors)
            .Where(line => line.Contains("ead-only", StringComparison.Ordinal) || line.Contains("denied", StringComparison.Ordinal));

    private static string Published()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder) && Environment.GetEnvironmentVariable("CI") is null,
            $"{Variable} names no published folder."
        );
        Assert.False(string.IsNullOrEmpty(folder), $"{Variable} names no published folder: run infra/publish.sh DIR first.");
        return Path.GetFullPath(folder!);
    }

    private static void Say(string text) => TestContext.Current.TestOutputHelper?.WriteLine(text);
}
