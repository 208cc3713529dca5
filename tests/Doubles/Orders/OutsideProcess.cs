using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Doubles.Orders;

/// <summary>
/// The outside world (<c>tests/Outside</c>) as a child process: a mail server and webhook endpoints, told what to do from here. It goes
/// with whoever started it.
/// </summary>
public sealed class OutsideProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly OutsideReady _ready;
    private readonly HttpClient _control;
    private long _read;

    private OutsideProcess(Process process, OutsideReady ready)
    {
        (_process, _ready) = (process, ready);
        _control = new() { BaseAddress = new($"http://127.0.0.1:{ready.Control}") };
    }

    public int SmtpPort => _ready.Smtp;

    /// <summary>Processor time that it has taken so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <param name="folder">Where its ledger is kept; it exists.</param>
    public static async Task<OutsideProcess> Start(string folder, CancellationToken cancel = default)
    {
        // The program that runs this: the installed one may be another version.
        var program = Path.GetFullPath(
            Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet")
        );
        var start = new ProcessStartInfo(
            program,
            [Path.Combine(AppContext.BaseDirectory, "Outside.dll"), Path.Combine(folder, "outside.ledger")]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("The outside world was not started.");
        try
        {
            var line = await Wait.For(process.StandardOutput.ReadLineAsync(cancel).AsTask(), "the outside world to begin")
                ?? throw new InvalidOperationException("The outside world ended before it was ready.");
            return new(process, JsonSerializer.Deserialize<OutsideReady>(line, JsonSerializerOptions.Web)!);
        }
        catch
        {
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    /// <summary>An endpoint: every path is one.</summary>
    public Uri Url(string path) => new($"http://127.0.0.1:{_ready.Webhooks}{path}");

    /// <summary>What the endpoint does from now on: each answer as often as it says, in turn; none: 204.</summary>
    public Task Behave(string path, params EndpointAnswer[] answers) => Put($"/endpoints?path={Uri.EscapeDataString(path)}", answers);

    /// <summary>What signatures of calls to this endpoint are checked with.</summary>
    public Task Secrets(string path, params string[] secrets) => Put($"/secrets?path={Uri.EscapeDataString(path)}", secrets);

    /// <summary>What the mail server does from now on; none: as it should.</summary>
    public Task Smtp(params SmtpAnswer[] answers) => Put("/smtp", answers);

    /// <summary>By the endpoint's path; mails under <c>smtp</c>.</summary>
    public async Task<IReadOnlyDictionary<string, OutsideCount>> Counts(CancellationToken cancel = default) =>
        (await _control.GetFromJsonAsync<Dictionary<string, OutsideCount>>("/counts", cancel))!;

    /// <summary>How often each id came to a place.</summary>
    public async Task<IReadOnlyDictionary<string, int>> Ids(string place, CancellationToken cancel = default) =>
        (await _control.GetFromJsonAsync<Dictionary<string, int>>($"/ids?place={Uri.EscapeDataString(place)}", cancel))!;

    /// <summary>What was written down since the last time that it was asked.</summary>
    public async Task<List<OutsideEffect>> Effects(CancellationToken cancel = default)
    {
        using (var flushed = await _control.PostAsync(new Uri("/flush", UriKind.Relative), null, cancel))
        {
            flushed.EnsureSuccessStatusCode();
        }

        using var file = new FileStream(_ready.Ledger, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = _read;
        using var reader = new StreamReader(file);
        var effects = new List<OutsideEffect>();
        var text = await reader.ReadToEndAsync(cancel);
        var whole = text.LastIndexOf('\n') + 1; // It may be writing the next.
        _read += whole;
        foreach (var line in text.AsSpan(0, whole).EnumerateLines())
        {
            if (!line.IsEmpty)
            {
                effects.Add(OutsideEffect.Parse(line.ToString()));
            }
        }

        return effects;
    }

    /// <summary>All that was ever written down.</summary>
    public async Task<List<OutsideEffect>> AllEffects(CancellationToken cancel = default)
    {
        _read = 0;
        return await Effects(cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        _process.StandardInput.Close();
        await Wait.For(_process.WaitForExitAsync(), "the outside world to end");
        _process.Dispose();
    }

    private async Task Put<T>(string path, T told)
    {
        using var answer = await _control.PutAsJsonAsync(path, told);
        answer.EnsureSuccessStatusCode();
    }
}
