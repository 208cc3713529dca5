using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Doubles;

/// <summary>
/// Takes traces as a collector of OpenTelemetry does (OTLP over HTTP, protobuf) and keeps of each span its trace and its name.
/// </summary>
public sealed class TraceCollector : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly Lock _gate = new();
    private readonly HashSet<(string Trace, string Name)> _spans = [];
    private readonly List<(string Trace, string Name, TaskCompletionSource Seen)> _awaited = [];

    private TraceCollector()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        _server = builder.Build();
        _server.Run(Take);
    }

    /// <summary>Like <c>http://127.0.0.1:41234</c>.</summary>
    public string Origin => _server.Urls.Single();

    public static async Task<TraceCollector> Start()
    {
        var collector = new TraceCollector();
        await collector._server.StartAsync();
        return collector;
    }

    /// <summary>Ends when a span of this name has come within this trace (32 hexadecimal digits).</summary>
    public Task WhenSeen(string trace, string name)
    {
        lock (_gate)
        {
            if (_spans.Contains((trace, name)))
            {
                return Task.CompletedTask;
            }

            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((trace, name, seen));
            return seen.Task;
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task Take(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (context.Request.Path != "/v1/traces")
        {
            return; // Metrics and the log come too.
        }

        // ExportTraceServiceRequest.resource_spans (1) . scope_spans (2) . spans (2)
        foreach (var span in Fields(body.ToArray(), 1).SelectMany(resource => Fields(resource, 2)).SelectMany(scope => Fields(scope, 2)))
        {
            Keep(Convert.ToHexStringLower(Fields(span, 1).Single()), System.Text.Encoding.UTF8.GetString(Fields(span, 5).Single()));
        }
    }

    private void Keep(string trace, string name)
    {
        lock (_gate)
        {
            _spans.Add((trace, name));
            foreach (var awaited in _awaited.Where(awaited => awaited.Trace == trace && awaited.Name == name))
            {
                awaited.Seen.TrySetResult();
            }
        }
    }

    /// <summary>The length-delimited fields of this number in a message.</summary>
    private static List<byte[]> Fields(byte[] message, int number)
    {
        var found = new List<byte[]>();
        var input = new CodedInputStream(message);
        for (uint tag; (tag = input.ReadTag()) != 0; )
        {
            if (WireFormat.GetTagFieldNumber(tag) == number && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
            {
                found.Add(input.ReadBytes().ToByteArray());
            }
            else
            {
                input.SkipLastField();
            }
        }

        return found;
    }
}
