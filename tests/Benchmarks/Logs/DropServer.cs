using System.Buffers;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Grains.Logs.Otlp;
using Grains.Logs.Records;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Benchmarks.Logs;

/// <summary>The baseline: a process that reads the same requests, decodes them with the same decoder, and drops what it decoded.</summary>
internal static class DropServer
{
    public static Command Command()
    {
        var command = new Command("logs-drop", "The baseline of \"logs\", which starts it.") { Hidden = true };
        command.SetAction(
            async (_, cancel) =>
            {
                var builder = WebApplication.CreateSlimBuilder();
                builder.Logging.ClearProviders();
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
                await using var app = builder.Build();
                app.MapPost("/v1/logs", Take);
                await app.StartAsync(cancel);
                Console.WriteLine(new Uri(app.Urls.First()).Port.ToString(CultureInfo.InvariantCulture));
                await Task.Delay(Timeout.Infinite, cancel);
            }
        );
        return command;
    }

    /// <summary>The process and where it listens.</summary>
    public static async Task<(Process Process, IPEndPoint Door)> Start()
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(DropServer).Assembly.Location);
        }

        start.ArgumentList.Add("logs-drop");
        start.Environment["DOTNET_TieredPGO"] = "0"; // As in the silo.
        var process = Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
        var line = await process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException("The baseline ended before it listened.");
        return (process, new(IPAddress.Loopback, int.Parse(line, CultureInfo.InvariantCulture)));
    }

    private static async Task Take(HttpContext context)
    {
        var length = (int)context.Request.ContentLength!.Value;
        var body = ArrayPool<byte>.Shared.Rent(length);
        await context.Request.Body.ReadExactlyAsync(body.AsMemory(0, length));
        Decode(body.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(body);
        context.Response.ContentType = "application/x-protobuf";
        context.Response.ContentLength = 0;
    }

    private static void Decode(ReadOnlySpan<byte> body)
    {
        using var decoder = new OtlpDecoder(1024 * 1024);
        using var builder = new LogBlockBuilder();
        decoder.Decode(body, 1, builder);
    }
}
