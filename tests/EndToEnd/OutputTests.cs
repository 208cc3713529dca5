using System.Diagnostics;
using System.Globalization;
using EndToEnd.Logs;
using Xunit;

namespace EndToEnd;

/// <summary>The console's output as a shell redirects it: only a reader that has gone ends it quietly.</summary>
public sealed class OutputTests : IAsyncLifetime
{
    private const int Records = 20_000;

    private readonly SiloPlace _place = new();
    private SiloProcess _silo = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux's.");
        _silo = await SiloProcess.StartReady(_place);
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        _place.Dispose();
    }

    [Fact]
    public async Task WhatCannotBeWrittenIsASentenceAndExitCodeOneAndAReaderThatHasGoneIsNeither()
    {
        using var door = new LogDoor(_place);
        var file = Path.Combine(_place.Folder, "app.log");
        await File.WriteAllLinesAsync(
            file,
            Enumerable
                .Range(0, Records)
                .Select(line => string.Create(CultureInfo.InvariantCulture, $"line {line:000000} of a file that no pipe holds at once")),
            Cancel
        );
        Assert.Equal(0, (await door.Run("send", file, "--service", "app", "--state", Path.Combine(_place.Folder, "sent"))).Code);
        var all = $"logs query --json --limit {Records}";

        foreach (var verb in (string[])["--help", "ledger", "cluster status", all, "logs query service:app"])
        {
            var full = await Shell($"console {verb} >/dev/full");
            Assert.Equal((1, "The output cannot be written: No space left on device"), (full.Code, Told(full.Error)));
        }

        // A limit of 8 blocks of 512 or 1,024 bytes: SIGXFSZ would end the process without a word. The runtime itself maps no file then.
        var limited = await Shell($"export DOTNET_EnableWriteXorExecute=0; ulimit -f 8; console {all} >limited.jsonl");
        Assert.Equal((1, "The output cannot be written: File too large"), (limited.Code, Told(limited.Error)));

        var closed = await Shell("console ledger >&-");
        Assert.Equal(1, closed.Code);
        Assert.StartsWith("The output cannot be written", Told(closed.Error), StringComparison.Ordinal);

        var gone = await Shell($"console {all} | head -n 1 >/dev/null; exit ${{PIPESTATUS[0]}}");
        Assert.Equal((0, ""), (gone.Code, gone.Error));

        var whole = await Shell($"console {all} | wc -l");
        Assert.Equal((0, Records + 1), (whole.Code, int.Parse(whole.Output, CultureInfo.InvariantCulture)));

        var deaf = await Shell("console ledger --gateway nowhere:1 2>/dev/full");
        Assert.NotEqual(0, deaf.Code);
    }

    private static string Told(string error) =>
        error.TrimEnd().Split('\n')[^1].Replace("{\"error\":\"", "", StringComparison.Ordinal).Replace("\"}", "", StringComparison.Ordinal);

    private async Task<ConsoleRun> Shell(string line)
    {
        using var bash = new Process
        {
            StartInfo = new("bash", ["-c", $"console() {{ \"$DOTNET\" \"$CLIENT\" \"$@\"; }}; {line}"])
            {
                WorkingDirectory = _place.Folder,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["DOTNET"] = SiloProcess.DotNet,
                    ["CLIENT"] = Path.Combine(AppContext.BaseDirectory, "Client.dll"),
                    ["SILO_GATEWAY"] = _place.Gateway.ToString(),
                },
            },
        };
        bash.Start();
        bash.StandardInput.Close();
        var (output, error) = (bash.StandardOutput.ReadToEndAsync(Cancel), bash.StandardError.ReadToEndAsync(Cancel));
        await bash.WaitForExitAsync(Cancel);
        return new(bash.ExitCode, await output, await error);
    }
}
