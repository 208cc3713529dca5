using System.Diagnostics;
using System.Text.Json;

namespace Doubles.Processes;

/// <summary>What a run of the console printed, and how it ended.</summary>
public sealed record ConsoleRun(int Code, string Output, string Error)
{
    /// <summary>Objects that were printed, one a line, without the last one of a list, which says how it ended.</summary>
    public JsonElement[] Entries =>
        [
            .. Output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(line => !line.StartsWith("{\"end\":", StringComparison.Ordinal))
                .Select(line => JsonElement.Parse(line)),
        ];
}

/// <summary>The built console as a child process, with nobody at its input unless a test says so. Disposing it kills it.</summary>
public sealed class ConsoleProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly PrintedLines _lines = new();

    private ConsoleProcess(
        IEnumerable<string> args,
        string? folder = null,
        Action<ConsoleProcess, string>? onLine = null,
        string input = ""
    )
    {
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

        _process.OutputDataReceived += (_, line) =>
        {
            _lines.AddOutput(line.Data);
            if (line.Data is { } text)
            {
                onLine?.Invoke(this, text);
            }
        };
        _process.ErrorDataReceived += (_, line) => _lines.AddError(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Write(input);
        _process.StandardInput.Close();
        Exit = WaitForExit();
    }

    /// <summary>The exit code, when all that was printed has been read.</summary>
    public Task<int> Exit { get; }

    /// <summary>Ends with the first line of output or error; fails when the console ends before.</summary>
    public Task Spoke => _lines.When(() => Output.Count + Errors.Count > 0);

    /// <summary>Ends when such a line of standard output has been printed; fails when the console ends before.</summary>
    public Task Wrote(Func<string, bool> isIt) => _lines.When(() => Output.Any(isIt));

    /// <summary>Ends when so many lines of standard output have been printed; fails when the console ends before.</summary>
    public Task Printed(int lines) => _lines.When(() => Output.Count >= lines);

    /// <summary>Ends when standard error has a line with this part; fails when the console ends before.</summary>
    public Task Complained(string part) => _lines.When(() => Errors.Any(line => line.Contains(part, StringComparison.Ordinal)));

    /// <summary>Lines of standard output so far.</summary>
    public IReadOnlyList<string> Output => _lines.Output;

    /// <summary>Lines of standard error so far.</summary>
    public IReadOnlyList<string> Errors => _lines.Errors;

    /// <summary>All that was said so far, for the message of a test that fails.</summary>
    public string Said => _lines.All;

    /// <summary>The last line of the output, as an object.</summary>
    public JsonElement Last => JsonElement.Parse(Output[^1]);

    public int ProcessId => _process.Id;

    public static ConsoleProcess Start(params IEnumerable<string> args) => new(args);

    /// <summary>Starts a verb whose lines of output are told as they come, one after the other.</summary>
    public static ConsoleProcess StartHeard(Action<string> onLine, params IEnumerable<string> args) =>
        new(args, onLine: (_, line) => onLine(line));

    /// <summary>Runs a verb to its end.</summary>
    public static Task<ConsoleProcess> Run(params IEnumerable<string> args) => Ended(Start(args));

    /// <summary>
    /// Runs a verb to its end whose silo is there. On a busy machine that one may answer too late for the console's patience, so a verb
    /// that did not reach it, and did nothing, is said again.
    /// </summary>
    public static async Task<ConsoleProcess> Reach(params IEnumerable<string> args)
    {
        ConsoleProcess? console = null;
        await Wait.Until(
            async () =>
            {
                if (console is not null)
                {
                    await console.DisposeAsync();
                }

                console = await Run(args);
                return await console.Exit != ExitCode.NoSilo;
            },
            $"a silo that is there to be reached by '{string.Join(' ', args)}'",
            () => console!.Said
        );
        return console!;
    }

    /// <summary>Runs a verb to its end, with something to read at its input.</summary>
    public static Task<ConsoleProcess> RunWith(string input, params IEnumerable<string> args) => Ended(new(args, input: input));

    /// <summary>The exit code, when it has ended by itself or as it was told.</summary>
    public Task<int> Ended() => Wait.For(Exit, "the console to end", () => Said);

    private static async Task<ConsoleProcess> Ended(ConsoleProcess console)
    {
        try
        {
            await console.Ended();
            return console;
        }
        catch
        {
            await console.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs one verb to its end in a folder, where its temporary folders are made too.</summary>
    /// <param name="interruptAfter">When a line of the output contains this, the console gets SIGINT, as from Ctrl-C.</param>
    public static async Task<ConsoleRun> Run(string folder, IEnumerable<string> args, string? interruptAfter = null)
    {
        await using var console = new ConsoleProcess(args, folder, (console, line) =>
        {
            if (interruptAfter is not null && line.Contains(interruptAfter, StringComparison.Ordinal))
            {
                interruptAfter = null;
                Signals.Send(console._process.Id, Signals.Interrupt);
            }
        });
        return new(await console.Ended(), Text(console.Output), Text(console.Errors));
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
        _lines.End(new InvalidOperationException($"The console ended with code {_process.ExitCode}.{Environment.NewLine}{Said}"));
        return _process.ExitCode;
    }
}
