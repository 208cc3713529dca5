using System.Diagnostics;
using System.Text.Json;
using Client;

namespace EndToEnd;

/// <summary>What a run of the console printed, and how it ended.</summary>
public sealed record ConsoleRun(int Code, string Output, string Error);

/// <summary>The built console as a child process, with nobody at its input unless a test says so. Disposing it kills it.</summary>
public sealed class ConsoleProcess : IAsyncDisposable
{
    /// <summary>For a verb that answers at once, on a busy machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private const int Attempts = 3;

    private readonly Process _process;
    private readonly TaskCompletionSource _spoke = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];

    private readonly Action<string>? _onLine;

    private ConsoleProcess(IEnumerable<string> args, string? folder = null, Action<ConsoleProcess, string>? onLine = null, string input = "")
    {
        _onLine = onLine is null ? null : line => onLine(this, line);
        _process = new Process
        {
            StartInfo = new(SiloProcess.DotNet, [Path.Combine(AppContext.BaseDirectory, "Client.dll"), .. args])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder ?? "",
            },
        };
        if (folder is not null)
        {
            _process.StartInfo.Environment["TMPDIR"] = folder;
        }

        _process.OutputDataReceived += (_, line) => Take(line.Data, _output);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, _errors);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Write(input);
        _process.StandardInput.Close();
        Exit = WaitForExit();
    }

    /// <summary>The exit code, when all that was printed has been read.</summary>
    public Task<int> Exit { get; }

    /// <summary>Ends with the first line of output or error.</summary>
    public Task Spoke => _spoke.Task;

    /// <summary>Lines of standard output so far.</summary>
    public IReadOnlyList<string> Output => Copy(_output);

    /// <summary>Lines of standard error so far.</summary>
    public IReadOnlyList<string> Errors => Copy(_errors);

    /// <summary>All that was said so far, for the message of a test that fails.</summary>
    public string Said => string.Join(Environment.NewLine, [.. Output, .. Errors]);

    /// <summary>The last line of the output, as an object.</summary>
    public JsonElement Last => JsonElement.Parse(Output[^1]);

    public int ProcessId => _process.Id;

    public static ConsoleProcess Start(params IEnumerable<string> args) => new(args);

    /// <summary>Starts a verb whose lines of output are told as they come, one after the other.</summary>
    public static ConsoleProcess StartHeard(Action<string> onLine, params IEnumerable<string> args) => new(args, onLine: (_, line) => onLine(line));

    /// <summary>Runs a verb to its end.</summary>
    public static Task<ConsoleProcess> Run(params IEnumerable<string> args) => Ended(Start(args));

    /// <summary>
    /// Runs a verb to its end whose silo is there. On a busy machine that one may answer too late for the console's patience, so a verb that
    /// did not reach it, and did nothing, is said again: three times in all.
    /// </summary>
    public static async Task<ConsoleProcess> Reach(params IEnumerable<string> args)
    {
        for (var attempt = 1; ; attempt++)
        {
            var console = await Run(args);
            if (await console.Exit != ExitCode.NoSilo || attempt == Attempts)
            {
                return console;
            }

            await console.DisposeAsync();
        }
    }

    /// <summary>Runs a verb to its end, with something to read at its input.</summary>
    public static Task<ConsoleProcess> RunWith(string input, params IEnumerable<string> args) => Ended(new(args, input: input));

    private static async Task<ConsoleProcess> Ended(ConsoleProcess console)
    {
        try
        {
            await console.Exit.WaitAsync(Patience);
            return console;
        }
        catch (TimeoutException)
        {
            await console.DisposeAsync();
            throw new TimeoutException($"The console did not end within {Patience}: {console.Said}");
        }
    }

    /// <summary>Runs one verb to its end in a folder, where its temporary folders are made too.</summary>
    /// <param name="interruptAfter">When a line of the output contains this, the console gets SIGINT, as from Ctrl-C.</param>
    public static async Task<ConsoleRun> Run(string folder, IEnumerable<string> args, string? interruptAfter = null, CancellationToken cancel = default)
    {
        await using var console = new ConsoleProcess(args, folder, (console, line) =>
        {
            if (interruptAfter is not null && line.Contains(interruptAfter, StringComparison.Ordinal))
            {
                interruptAfter = null;
                Signals.Send(console._process.Id, Signals.Interrupt);
            }
        });
        var code = await console.Exit.WaitAsync(cancel);
        return new(code, Text(console.Output), Text(console.Errors));
    }

    /// <summary>Sends SIGINT, as Ctrl-C does.</summary>
    public void Interrupt() => Signals.Send(_process.Id, Signals.Interrupt);

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await Exit;
        _process.Dispose();
    }

    private static string Text(IReadOnlyList<string> lines) => string.Concat(lines.Select(line => line + "\n"));

    private async Task<int> WaitForExit()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    private void Take(string? line, List<string> lines)
    {
        if (line is not null)
        {
            lock (_gate)
            {
                lines.Add(line);
            }

            _spoke.TrySetResult();
            if (lines == _output)
            {
                _onLine?.Invoke(line);
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
