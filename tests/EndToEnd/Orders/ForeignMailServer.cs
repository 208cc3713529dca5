using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Doubles.Orders;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>A mail as Python's email package reads it.</summary>
public sealed record ReadMail(
    string From,
    IReadOnlyList<string> To,
    bool Secure,
    string? Login,
    IReadOnlyList<IReadOnlyList<string>> Headers,
    IReadOnlyList<IReadOnlyList<string>> Addresses,
    string Type,
    IReadOnlyList<ReadPart> Parts,
    IReadOnlyList<string> Defects
)
{
    public string Header(string name) => Headers.Single(header => header[0].Equals(name, StringComparison.OrdinalIgnoreCase))[1];
}

public sealed record ReadPart(string Type, string? Charset, string? Language, string Text);

/// <summary>
/// A mail server that this project did not write (aiosmtpd, of Debian's <c>python3-aiosmtpd</c>), with a reader that it did not write
/// either. Where it is not installed the test is counted as skipped,
/// with the reason; with <c>CI=true</c> it fails.
/// </summary>
internal sealed class ForeignMailServer : IAsyncDisposable
{
    private readonly Process _process;

    private ForeignMailServer(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    /// <summary>In the clear, for everybody.</summary>
    public static Task<ForeignMailServer> Start(CancellationToken cancel) => Start([], cancel);

    /// <summary>After STARTTLS, and for one user alone.</summary>
    /// <returns>Beside it, the file with the certificate, which is for "localhost".</returns>
    public static async Task<(ForeignMailServer Server, string Certificate)> StartSecure(
        string folder,
        string user,
        string password,
        CancellationToken cancel
    )
    {
        var (certificate, key) = (Path.Combine(folder, "mail.crt"), Path.Combine(folder, "mail.key"));
        using var made = SmtpServer.SelfSigned();
        using var secret = made.GetECDsaPrivateKey()!;
        await File.WriteAllTextAsync(certificate, made.ExportCertificatePem(), cancel);
        await File.WriteAllTextAsync(key, PemEncoding.WriteString("PRIVATE KEY", secret.ExportPkcs8PrivateKey()), cancel);
        return (await Start([certificate, key, user, password], cancel), certificate);
    }

    /// <summary>The next mail that it took.</summary>
    public async Task<ReadMail> Next(CancellationToken cancel) => Read<ReadMail>(await Line(_process, cancel));

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await Wait.For(_process.WaitForExitAsync(), "the mail server to end");
        _process.Dispose();
    }

    private static async Task<ForeignMailServer> Start(string[] args, CancellationToken cancel)
    {
        var python = await Python(cancel);
        if (python is null)
        {
            const string Missing = "No Python here has aiosmtpd: install python3-aiosmtpd (Debian, Ubuntu).";
            Assert.SkipWhen(Environment.GetEnvironmentVariable("CI") != "true", Missing);
            Assert.Fail(Missing);
        }

        var process = Process.Start(
            new ProcessStartInfo(python, [Script(), .. args]) { RedirectStandardInput = true, RedirectStandardOutput = true }
        )!;
        return new(process, JsonElement.Parse(await Line(process, cancel)).GetProperty("port").GetInt32());
    }

    /// <summary>One that has it: another Python may come first in the path than the one that packages are installed for.</summary>
    private static async Task<string?> Python(CancellationToken cancel)
    {
        foreach (var python in new[] { "python3", "/usr/bin/python3" })
        {
            try
            {
                using var asked = Process.Start(new ProcessStartInfo(python, ["-c", "import aiosmtpd"]) { RedirectStandardError = true })!;
                await asked.StandardError.ReadToEndAsync(cancel);
                await asked.WaitForExitAsync(cancel);
                if (asked.ExitCode == 0)
                {
                    return python;
                }
            }
            catch (Win32Exception)
            {
                // Not there: the next.
            }
        }

        return null;
    }

    private static string Script()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Path.Combine(folder, "tests", "aiosmtpd", "server.py") is var script && File.Exists(script))
            {
                return script;
            }
        }

        throw new FileNotFoundException("There is no tests/aiosmtpd/server.py above the tests; they are run from a copy without it.");
    }

    private static async Task<string> Line(Process process, CancellationToken cancel) =>
        await Wait.For(process.StandardOutput.ReadLineAsync(cancel).AsTask(), "the mail server's next line")
        ?? throw new InvalidOperationException("The mail server has ended; what was wrong is among the test's errors.");

    private static T Read<T>(string line) => JsonSerializer.Deserialize<T>(line, JsonSerializerOptions.Web)!;
}
