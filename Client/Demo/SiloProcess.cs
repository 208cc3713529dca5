using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;

namespace Client.Demo;

/// <summary>Where a silo of the demo listens and keeps its data; the same before and after it is killed.</summary>
internal sealed record SiloPlace(string Folder, int SiloPort, int GatewayPort, int HttpPort)
{
    public const string ClusterId = "demo";

    /// <summary>Where mails are written, for the silo has no mail server.</summary>
    public string Mails => Path.Combine(Folder, "data", "mail");

    /// <summary>Three ports that nobody else is given as long as the demo runs.</summary>
    public static SiloPlace Choose(string folder) =>
        FreePorts.Shared.Take(3) is [var silo, var gateway, var http] ? new(folder, silo, gateway, http) : throw new UnreachableException();
}

/// <summary>A silo as a child process. It does not outlive this object.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private const int KeptLines = 30;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    private readonly Process _process;
    private readonly SiloPlace _place;
    private readonly TimeProvider _clock;
    private readonly Queue<string> _lines = [];

    private SiloProcess(Process process, SiloPlace place, TimeProvider clock)
    {
        _process = process;
        _place = place;
        _clock = clock;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        // A process that ends in a way of its own (a closed terminal, an exit elsewhere) takes its child along.
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    public int Id => _process.Id;

    /// <param name="program">The silo's assembly (<see cref="SiloProgram"/>).</param>
    public static SiloProcess Start(string program, SiloPlace place, TimeProvider clock)
    {
        var start = new ProcessStartInfo(Dotnet())
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = place.Folder,
        };
        // What .NET keeps beside a process (its diagnostic sockets) is left lying after kill -9; there it goes with the folder.
        start.Environment["TMPDIR"] = place.Folder;
        foreach (
            var argument in (string[])
                [
                    program,
                    "--Cluster:Id",
                    SiloPlace.ClusterId,
                    "--Cluster:SiloPort",
                    Text(place.SiloPort),
                    "--Cluster:GatewayPort",
                    Text(place.GatewayPort),
                    "--Http:Port",
                    Text(place.HttpPort),
                    "--Grpc:Port",
                    "0",
                    "--Logs:OtlpHttpPort",
                    "0",
                    "--Storage:Kind",
                    "Local",
                    "--Storage:Path",
                    Path.Combine(place.Folder, "data"),
                    "--Crawling:AllowPrivate",
                    "127.0.0.0/8",
                    "--Logs:Own",
                    "true",
                    "--Logs:Crawls",
                    "true",
                    "--Webhooks:AllowHttp",
                    "true",
                    "--Webhooks:AllowPrivate",
                    "127.0.0.0/8",
                ]
        )
        {
            start.ArgumentList.Add(argument);
        }

        return new(new() { StartInfo = start }, place, clock);
    }

    /// <summary>Until it takes calls; the answer is how long that took.</summary>
    /// <exception cref="ConsoleException">It ended, or did not get ready within half a minute; with what it said last.</exception>
    public async Task<TimeSpan> Ready(CancellationToken cancel)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var ready = new Uri($"http://127.0.0.1:{Text(_place.HttpPort)}/health/ready");
        var since = _clock.GetTimestamp();
        while (true)
        {
            if (_process.HasExited)
            {
                throw new ConsoleException($"The silo ended with exit code {Text(_process.ExitCode)} before it was ready. {LastWords()}");
            }

            if (await Answers(http, ready, cancel))
            {
                return _clock.GetElapsedTime(since);
            }

            if (_clock.GetElapsedTime(since) > Patience)
            {
                throw new ConsoleException($"The silo was not ready within {Text((int)Patience.TotalSeconds)} s. {LastWords()}");
            }

            await Task.Delay(BetweenLooks, _clock, cancel);
        }
    }

    /// <summary><c>kill -9</c>: it gets no chance to put anything in order. Ends when it is gone.</summary>
    public async Task Kill()
    {
        try
        {
            // On Unix this sends SIGKILL; on Windows it terminates the process.
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It had ended by itself.
        }

        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        await Kill();
        _process.Dispose();
    }

    private static async Task<bool> Answers(HttpClient http, Uri ready, CancellationToken cancel)
    {
        try
        {
            using var response = await http.GetAsync(ready, cancel);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception reason) when (reason is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    private void OnExit(object? sender, EventArgs args) => _process.Kill(entireProcessTree: true);

    private void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }

        lock (_lines)
        {
            if (_lines.Count == KeptLines)
            {
                _lines.Dequeue();
            }

            _lines.Enqueue(line.Trim());
        }
    }

    private string LastWords()
    {
        lock (_lines)
        {
            return _lines.Count == 0 ? "It said nothing." : $"It said last: {string.Join(" | ", _lines)}";
        }
    }

    /// <summary>The host that runs this console, found from the runtime it uses: <c>…/shared/Microsoft.NETCore.App/10.0.1/</c>.</summary>
    private static string Dotnet()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(beside) ? beside : name;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
