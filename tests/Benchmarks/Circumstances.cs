using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Benchmarks;

/// <summary>Where and when figures were measured.</summary>
internal static class Circumstances
{
    /// <summary>What the figures of a run hold for: the commit, the machine, the date.</summary>
    /// <param name="failed">Benchmarks that ended with an error.</param>
    public static async Task<string> Tell(string size, TimeSpan took, IReadOnlyCollection<string> failed)
    {
        var commit = await Commit();
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024);
        var (system, runtime) = (RuntimeInformation.RuntimeIdentifier, Environment.Version);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            - Commit: {commit}
            - Date: {TimeProvider.System.GetUtcNow():yyyy-MM-dd}
            - Machine: {system}, {Environment.ProcessorCount} processors, {memory:0} GiB, .NET {runtime}
            - Load of the machine in the minute before the end: {Load()}
            - Size: {size}; {took.TotalMinutes:0.0} minutes
            - Failed: {(failed.Count == 0 ? "none" : string.Join(", ", failed))}

            """
        );
    }

    /// <summary>Of the folder that the benchmarks are run from; "unknown" where there is no git.</summary>
    private static async Task<string> Commit()
    {
        try
        {
            using var git = Process.Start(
                new ProcessStartInfo("git", ["describe", "--always", "--dirty", "--exclude", "*"])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            );
            var line = git is null ? null : await git.StandardOutput.ReadLineAsync();
            return string.IsNullOrEmpty(line) ? "unknown" : line;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "unknown";
        }
    }

    /// <summary>More than the processors: others were at work, and rates say little.</summary>
    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
}
