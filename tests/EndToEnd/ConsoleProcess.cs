using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace EndToEnd;

/// <summary>What a run of the console printed, and how it ended.</summary>
public sealed record ConsoleRun(int Code, string Output, string Error);

/// <summary>The built console as a child process, its output piped.</summary>
public static class ConsoleProcess
{
    private const int SigInt = 2;

    /// <summary>Runs one verb to its end. Its temporary folders are made in <paramref name="folder"/>.</summary>
    /// <param name="interruptAfter">When a line of the output contains this, the console gets SIGINT, as from Ctrl-C.</param>
    public static async Task<ConsoleRun> Run(string folder, IEnumerable<string> args, string? interruptAfter = null, CancellationToken cancel = default)
    {
        var start = new ProcessStartInfo(DotNet, [Path.Combine(AppContext.BaseDirectory, "Client.dll"), .. args])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TMPDIR"] = folder;
        using var process = Process.Start(start)!;
        try
        {
            var error = process.StandardError.ReadToEndAsync(cancel);
            var output = new StringBuilder();
            while (await process.StandardOutput.ReadLineAsync(cancel) is { } line)
            {
                output.Append(line).Append('\n');
                if (interruptAfter is not null && line.Contains(interruptAfter, StringComparison.Ordinal))
                {
                    interruptAfter = null;
                    Assert(kill(process.Id, SigInt) == 0);
                }
            }

            await process.WaitForExitAsync(cancel);
            return new(process.ExitCode, output.ToString(), await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string DotNet =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    private static void Assert(bool sent)
    {
        if (!sent)
        {
            throw new InvalidOperationException($"SIGINT could not be sent: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int process, int signal);
}
