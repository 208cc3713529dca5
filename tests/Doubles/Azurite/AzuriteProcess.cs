using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Doubles.Azurite;

/// <summary>Azurite cannot be run here; the message says why.</summary>
public sealed class AzuriteMissingException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// Azurite of the version that <c>tests/azurite</c> pins, as a child process on free ports of loopback and in a folder of its own, which
/// goes with it.
/// What it needs is installed into <c>tests/azurite/node_modules</c> at the first use.
/// </summary>
/// <remarks>
/// It keeps what it acknowledged in memory for five seconds: disposing stops it with SIGTERM, as <c>kill -9</c> would lose that.
/// </remarks>
public sealed class AzuriteProcess : IAsyncDisposable
{
    private const int SigTerm = 15;

    // Every Azurite has this account and this key; they are in its documentation.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly Process _process;
    private readonly string _folder;

    private AzuriteProcess(Process process, string folder, int blobPort, int tablePort)
    {
        (_process, _folder, BlobPort, TablePort) = (process, folder, blobPort, tablePort);
    }

    public int BlobPort { get; }

    public int TablePort { get; }

    /// <summary>For its own ports.</summary>
    public string ConnectionString => ConnectionStringOver(TablePort, BlobPort);

    /// <summary>For ports in front of it.</summary>
    public static string ConnectionStringOver(int tablePort, int blobPort) =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};TableEndpoint=http://127.0.0.1:{tablePort}/{Account};BlobEndpoint=http://127.0.0.1:{blobPort}/{Account};";

    /// <exception cref="AzuriteMissingException">Node or Azurite cannot be had.</exception>
    public static async Task<AzuriteProcess> Start(CancellationToken cancel = default)
    {
        var home = await Install(cancel);
        var ports = Unique.Ports(3);
        var folder = Unique.Folder("azurite");
        var start = new ProcessStartInfo(
            "node",
            [
                Path.Combine(home, "node_modules", "azurite", "dist", "src", "azurite.js"),
                "--blobHost",
                "127.0.0.1",
                "--blobPort",
                $"{ports[0]}",
                "--tableHost",
                "127.0.0.1",
                "--tablePort",
                $"{ports[1]}",
                "--queueHost",
                "127.0.0.1",
                "--queuePort",
                $"{ports[2]}",
                "--location",
                folder,
                "--skipApiVersionCheck",
                "--disableTelemetry",
                "--silent",
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process;
        try
        {
            process = NodeModules.Run(start);
        }
        catch (NodeMissingException missing)
        {
            Directory.Delete(folder);
            throw new AzuriteMissingException(missing.Message, missing);
        }

        // Read and dropped: it speaks even when it is told to be silent.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var azurite = new AzuriteProcess(process, folder, ports[0], ports[1]);
        try
        {
            await azurite.Answers();
            return azurite;
        }
        catch
        {
            await azurite.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited && kill(_process.Id, SigTerm) == 0)
        {
            await Wait.For(_process.WaitForExitAsync(CancellationToken.None), "Azurite to end");
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Both ports take connections.</summary>
    private async Task Answers()
    {
        foreach (var port in (int[])[BlobPort, TablePort])
        {
            await Wait.Until(() => Connects(port), $"Azurite to listen on port {port}");
        }
    }

    private async Task<bool> Connects(int port)
    {
        if (_process.HasExited)
        {
            throw new InvalidOperationException($"Azurite ended with code {_process.ExitCode} before it answered.");
        }

        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<string> Install(CancellationToken cancel)
    {
        try
        {
            return await NodeModules.Installed("azurite", cancel);
        }
        catch (NodeMissingException missing)
        {
            throw new AzuriteMissingException($"Azurite cannot be had here. {missing.Message}", missing);
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int process, int signal);
}
