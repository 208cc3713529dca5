using System.Diagnostics;
using System.Runtime.InteropServices;
using Silo.Launch;

namespace Doubles.Processes;

/// <summary>
/// A built silo as a child process: the real one, with a real store, to be killed and started again. Disposing it kills it.
/// </summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly PrintedLines _lines = new();

    private SiloProcess(
        SiloPlace place,
        IEnumerable<string> args,
        string program = "Silo.dll",
        params IEnumerable<(string Name, string Value)> environment
    )
        : this(place, new ProcessStartInfo(DotNet, [Path.Combine(AppContext.BaseDirectory, program), .. args]), environment) { }

    private SiloProcess(SiloPlace place, ProcessStartInfo start, IEnumerable<(string Name, string Value)> environment)
    {
        Place = place;
        start.WorkingDirectory = place.Folder;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => _lines.AddOutput(line.Data);
        _process.ErrorDataReceived += (_, line) => _lines.AddError(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        Exit = WaitForExit();
    }

    public SiloPlace Place { get; }

    /// <summary>Ends when the whole banner has been read; fails with what was printed when the process ends before.</summary>
    public Task Ready => Said(Banner.LastLine);

    /// <summary>The exit code, when all that was printed has been read.</summary>
    public Task<int> Exit { get; }

    public int ProcessId => _process.Id;

    /// <summary>Lines of standard output so far.</summary>
    public IReadOnlyList<string> Output => _lines.Output;

    /// <summary>Lines of standard error so far.</summary>
    public IReadOnlyList<string> Errors => _lines.Errors;

    /// <summary>All that was said so far, for the message of a test that fails.</summary>
    public string AllSaid => _lines.All;

    /// <summary>Starts a silo in a place, on its ports, with more settings.</summary>
    public static SiloProcess Start(SiloPlace place, params IEnumerable<string> settings) => new(place, [.. place.Settings, .. settings]);

    /// <summary>Starts a silo that kills itself at a named point, as <c>kill -9</c> does (<c>tests/FaultPoints</c>).</summary>
    public static SiloProcess StartKilledAt(SiloPlace place, string faultPoint, params IEnumerable<string> settings) =>
        new(place, [.. place.Settings, .. settings], environment: KilledAt(faultPoint));

    /// <summary>
    /// Starts the silo, or another program that is one, in a place and on its ports, with environment variables of its own.
    /// </summary>
    public static SiloProcess StartOther(
        string program,
        SiloPlace place,
        IEnumerable<(string Name, string Value)> environment,
        params IEnumerable<string> settings
    ) => new(place, [.. place.Settings, .. settings], program, environment);

    /// <summary>Starts another program that is a silo, and kills itself at a named point.</summary>
    public static SiloProcess StartOtherKilledAt(string program, SiloPlace place, string faultPoint, params IEnumerable<string> settings) =>
        new(place, [.. place.Settings, .. settings], program, KilledAt(faultPoint));

    /// <summary>Starts whatever becomes a silo, without the place's settings: a command that ends by executing one.</summary>
    public static SiloProcess StartCommand(
        SiloPlace place,
        string command,
        IEnumerable<string> args,
        params IEnumerable<(string Name, string Value)> environment
    ) => new(place, new ProcessStartInfo(command, args), environment);

    /// <summary>Starts a silo with these arguments alone.</summary>
    public static SiloProcess StartWith(SiloPlace place, params IEnumerable<string> args) => new(place, args);

    /// <summary>Starts a silo and waits until it is ready.</summary>
    public static Task<SiloProcess> StartReady(SiloPlace place, params IEnumerable<string> settings) => WhenReady(Start(place, settings));

    /// <summary>The silo, when it is ready. One that does not get ready is disposed of.</summary>
    public static async Task<SiloProcess> WhenReady(SiloProcess silo)
    {
        try
        {
            await Wait.For(silo.Ready, "the silo to be ready", () => silo.AllSaid);
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    /// <summary>The exit code, when it has ended by itself or as it was told.</summary>
    public Task<int> Ended() => Wait.For(Exit, "the silo to end", () => AllSaid);

    /// <summary>SIGTERM, and the end of the process; its exit code.</summary>
    public Task<int> Stop()
    {
        Terminate();
        return Ended();
    }

    /// <summary>
    /// Ends when a line of standard output with this start has been printed; fails with what was printed when the process ends before.
    /// </summary>
    public Task Said(string start) => Wrote(line => line.StartsWith(start, StringComparison.Ordinal));

    /// <summary>
    /// Ends when such a line of standard output has been printed; fails with what was printed when the process ends before.
    /// </summary>
    public Task Wrote(Func<string, bool> isIt) => _lines.When(() => Output.Any(isIt));

    /// <summary><c>kill -9</c>; ends when the process is gone.</summary>
    public async Task Kill9()
    {
        _process.Kill();
        await Exit;
    }

    /// <summary>Sends SIGTERM.</summary>
    public void Terminate() => Signals.Send(_process.Id, Signals.Terminate);

    /// <summary>Sends SIGINT, as Ctrl-C does.</summary>
    public void Interrupt() => Signals.Send(_process.Id, Signals.Interrupt);

    public async ValueTask DisposeAsync()
    {
        await Kill9();
        _process.Dispose();
    }

    /// <summary>The program that runs this test: the installed one may be another version.</summary>
    public static string DotNet =>
        Path.GetFullPath(
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet")
        );

    private static (string, string)[] KilledAt(string faultPoint) =>
        [("DOTNET_STARTUP_HOOKS", Path.Combine(AppContext.BaseDirectory, "FaultPoints.dll")), ("FAULT_POINT", faultPoint)];

    private async Task<int> WaitForExit()
    {
        await _process.WaitForExitAsync();
        _lines.End(new InvalidOperationException($"The silo ended with code {_process.ExitCode}.{Environment.NewLine}{AllSaid}"));
        return _process.ExitCode;
    }
}
