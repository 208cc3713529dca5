using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace EndToEnd.Storage;

/// <summary>A running <c>tests/StoreWriter</c>, alone or below another program, and the lines that it wrote whole.</summary>
internal sealed class StoreWriterProcess : IDisposable
{
    private readonly Process _process;

    private StoreWriterProcess(Process process) => _process = process;

    public static StoreWriterProcess Start(params string[] arguments) => Start([], arguments);

    /// <summary>Starts it below a program: <paramref name="below"/> is that program with its arguments.</summary>
    public static StoreWriterProcess Start(IReadOnlyList<string> below, IReadOnlyList<string> arguments)
    {
        var writer = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "StoreWriter.exe" : "StoreWriter");
        string[] command = [.. below, writer, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true };

        // The runtime that runs the tests runs the writer too, wherever it is installed.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        return new(Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start."));
    }

    /// <summary>The next line that was written whole; null at the end. A line that a kill cut off was not acknowledged.</summary>
    public async Task<string?> ReadLine(CancellationToken cancel)
    {
        var line = await _process.StandardOutput.ReadLineAsync(cancel);
        return line is [.., ';'] ? line[..^1] : null;
    }

    public async Task<int> Exit(CancellationToken cancel)
    {
        await _process.WaitForExitAsync(cancel);
        return _process.ExitCode;
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    /// <summary>What an "ack" line says.</summary>
    public static (int Caller, int Number) Ack(string line)
    {
        var words = line.Split(' ');
        return words is ["ack", var caller, var number]
            ? (int.Parse(caller, CultureInfo.InvariantCulture), int.Parse(number, CultureInfo.InvariantCulture))
            : throw new FormatException($"\"{line}\" is no acknowledgement.");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
