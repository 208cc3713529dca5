using System.Diagnostics;
using System.Runtime.InteropServices;
using Silo.StartUp;

namespace EndToEnd;

/// <summary>A built silo as a child process: the real one, with a real store, to be killed and started again. Disposing it kills it.</summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly List<(string Start, TaskCompletionSource Said)> _awaited = [];
    private readonly Lock _gate = new();
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];
    private bool _ended;

    private SiloProcess(SiloPlace place, IEnumerable<string> args, string program = "Silo.dll", params IEnumerable<(string Name, string Value)> environment)
    {
        Place = place;
        var start = new ProcessStartInfo(DotNet, [Path.Combine(AppContext.BaseDirectory, program), .. args])
        {
            WorkingDirectory = place.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Take(line.Data, _output);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, _errors);
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
    public IReadOnlyList<string> Output => Copy(_output);

    /// <summary>Lines of standard error so far.</summary>
    public IReadOnlyList<string> Errors => Copy(_errors);

    /// <summary>Starts a silo in a place, on its ports, with more settings.</summary>
    public static SiloProcess Start(SiloPlace place, params IEnumerable<string> settings) => new(place, [.. place.Settings, .. settings]);

    /// <summary>Starts a silo that kills itself at a named point, as <c>kill -9</c> does (<c>tests/FaultPoints</c>).</summary>
    public static SiloProcess StartKilledAt(SiloPlace place, string faultPoint, params IEnumerable<string> settings) => new(
        place, [.. place.Settings, .. settings], environment: KilledAt(faultPoint));

    /// <summary>Starts another program that is a silo, in a place and on its ports.</summary>
    public static SiloProcess StartOther(string program, SiloPlace place, (string Name, string Value) environment, params IEnumerable<string> settings) =>
        new(place, [.. place.Settings, .. settings], program, environment);

    /// <summary>Starts another program that is a silo, and kills itself at a named point.</summary>
    public static SiloProcess StartOtherKilledAt(string program, SiloPlace place, string faultPoint, params IEnumerable<string> settings) =>
        new(place, [.. place.Settings, .. settings], program, KilledAt(faultPoint));

    /// <summary>Starts a silo with these arguments alone.</summary>
    public static SiloProcess StartWith(SiloPlace place, params IEnumerable<string> args) => new(place, args);

    /// <summary>Starts a silo and waits until it is ready, at most <paramref name="bound"/>.</summary>
    public static async Task<SiloProcess> StartReady(SiloPlace place, TimeSpan bound, params string[] settings)
    {
        var silo = Start(place, settings);
        try
        {
            await silo.Ready.WaitAsync(bound);
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends when a line of standard output with this start has been printed; fails with what was printed when the process ends before.</summary>
    public Task Said(string start)
    {
        lock (_gate)
        {
            if (_output.Any(line => line.StartsWith(start, StringComparison.Ordinal)))
            {
                return Task.CompletedTask;
            }

            if (_ended)
            {
                return Task.FromException(EndedBefore(start));
            }

            var said = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((start, said));
            return said.Task;
        }
    }

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
    internal static string DotNet =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    private static (string, string)[] KilledAt(string faultPoint) => [("DOTNET_STARTUP_HOOKS", Path.Combine(AppContext.BaseDirectory, "FaultPoints.dll")), ("FAULT_POINT", faultPoint)];

    private async Task<int> WaitForExit()
    {
        await _process.WaitForExitAsync();
        lock (_gate)
        {
            _ended = true;
            foreach (var (start, said) in _awaited)
            {
                said.TrySetException(EndedBefore(start));
            }
        }

        return _process.ExitCode;
    }

    private InvalidOperationException EndedBefore(string start) => new(
        $"The silo ended with code {_process.ExitCode} before it said «{start}».{Environment.NewLine}{string.Join(Environment.NewLine, _output.Concat(_errors))}");

    private void Take(string? line, List<string> lines)
    {
        if (line is null)
        {
            return;
        }

        lock (_gate)
        {
            lines.Add(line);
            foreach (var (_, said) in _awaited.Where(awaited => lines == _output && line.StartsWith(awaited.Start, StringComparison.Ordinal)))
            {
                said.TrySetResult();
            }
        }
    }

    private List<string> Copy(List<string> lines)
    {
        lock (_gate)
        {
            return [.. lines];
        }
    }
}
