using System.Diagnostics;
using System.Globalization;
using System.Net;
using Doubles.Logs;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Resources;
using Serilog;
using Serilog.Sinks.OpenTelemetry;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>A silo that takes syslog too.</summary>
public sealed class SiloWithSyslog : IAsyncLifetime
{
    private SiloProcess? _process;

    public SiloPlace Place { get; } = new();

    public int SyslogPort { get; } = Unique.Port();

    public async ValueTask InitializeAsync()
    {
        // Read by the exporter of .NET when it is made: it retries only when it is asked to.
        Environment.SetEnvironmentVariable("OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY", "in_memory");
        _process = await SiloProcess.StartReady(Place, "--Logs:SyslogPort", SyslogPort.ToString(CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        Place.Dispose();
    }
}

/// <summary>Clients as they are, that know nothing of this silo: what they send is what is stored, field by field.</summary>
public sealed class ClientsTests(SiloWithSyslog silo) : IClassFixture<SiloWithSyslog>
{
    private readonly SiloPlace _place = silo.Place;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(OtlpExportProtocol.Grpc)]
    [InlineData(OtlpExportProtocol.HttpProtobuf)]
    public async Task TheExporterOfDotNet(OtlpExportProtocol protocol)
    {
        var endpoint = protocol == OtlpExportProtocol.Grpc ? new Uri($"http://{_place.Grpc}") : new Uri($"http://{_place.Otlp}/v1/logs");
        var service = $"dotnet-{protocol}";
        ActivityTraceId trace;
        using (
            var factory = LoggerFactory.Create(logging =>
                logging.AddOpenTelemetry(options =>
                {
                    options.SetResourceBuilder(
                        ResourceBuilder
                            .CreateEmpty()
                            .AddAttributes([new("service.name", service), new("host.name", "web-1"), new("deployment.environment", "test")])
                    );
                    options.ParseStateValues = true;
                    options.AddOtlpExporter(otlp => (otlp.Endpoint, otlp.Protocol) = (endpoint, protocol));
                })
            )
        )
        {
            var logger = factory.CreateLogger("Shop.Checkout");
            using var activity = new Activity("request").SetIdFormat(ActivityIdFormat.W3C).Start();
            trace = activity.TraceId;
            Write(logger, "a \"b\"", 7);
            WriteFailed(logger, 0.5);
        }

        var lines = await Stored(service, count: 2);

        Assert.All(lines, line => Assert.Equal((trace.ToHexString(), "web-1"), (line.TraceId, line.Host)));
        Assert.All(lines, line => Assert.InRange(line.Time, 1_600_000_000_000_000_000ul, ulong.MaxValue));
        Assert.Equal(
            [(9, "Information", "Order {Id} has {Count} items"), (17, "Error", "Failed after {Seconds}")],
            lines.OrderBy(line => line.Time).Select(line => (line.Severity, line.SeverityText, line.Body))
        );
        var first = lines.MinBy(line => line.Time)!.Attributes;
        Assert.Contains("\"Id\":\"a \\\"b\\\"\",\"Count\":7", first, StringComparison.Ordinal);
        Assert.Contains(
            "\"otel.scope.name\":\"Shop.Checkout\",\"resource.deployment.environment\":\"test\"",
            first,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(OtlpProtocol.Grpc)]
    [InlineData(OtlpProtocol.HttpProtobuf)]
    public async Task SerilogsSink(OtlpProtocol protocol)
    {
        var service = $"serilog-{protocol}";
        await using (
            var logger = new LoggerConfiguration()
                .WriteTo.OpenTelemetry(sink =>
                {
                    sink.Endpoint = protocol == OtlpProtocol.Grpc ? $"http://{_place.Grpc}" : $"http://{_place.Otlp}";
                    sink.Protocol = protocol;
                    sink.ResourceAttributes = new Dictionary<string, object> { ["service.name"] = service, ["host.name"] = "web-2" };
                })
                .CreateLogger()
        )
        {
            logger.Warning("Stock of {Item} is {@Stock}", "tea", new { Left = 3, Unit = "kg" });
        }

        var line = Assert.Single(await Stored(service, count: 1));

        Assert.Equal((13, "Warning", "web-2"), (line.Severity, line.SeverityText, line.Host));
        Assert.Equal(
            "Stock of \"tea\" is {\"Left\":3,\"Unit\":\"kg\"}".Replace("\"", "", StringComparison.Ordinal),
            line.Body.Replace("\"", "", StringComparison.Ordinal)
                .Replace(", ", ",", StringComparison.Ordinal)
                .Replace("{ ", "{", StringComparison.Ordinal)
                .Replace(" }", "}", StringComparison.Ordinal)
                .Replace(": ", ":", StringComparison.Ordinal)
        );
        Assert.Contains("\"Item\":\"tea\"", line.Attributes, StringComparison.Ordinal);
        Assert.Contains("\"Stock\":{\"Left\":3,\"Unit\":\"kg\"}", line.Attributes, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("proto")]
    [InlineData("grpc")]
    public async Task TheExportersOfJavaScript(string kind)
    {
        var home = await NodeModules.Installed("otlp-clients", Cancel);
        var url = kind == "grpc" ? $"http://{_place.Grpc}" : $"http://{_place.Otlp}/v1/logs";
        using var node = NodeModules.Run(new ProcessStartInfo("node", [Path.Combine(home, "send.js"), kind, url]));
        await Wait.For(node.WaitForExitAsync(Cancel), "the exporter to end");
        Assert.Equal(0, node.ExitCode);

        const string Rest = "\"otel.scope.name\":\"shop\",\"otel.scope.version\":\"1.2.3\",\"resource.deployment.environment\":\"test\"}";
        var same = new LogLine
        {
            Time = 1_700_000_000_123_456_789,
            Observed = 1_700_000_000_123_456_789,
            Service = $"js-{kind}",
            Host = "node-1",
        };
        Assert.Equal(
            [
                same with
                {
                    Body = "grüße 👋",
                    Severity = 9,
                    SeverityText = "INFO",
                    Attributes = """{"count":7,"ratio":0.5,"ok":true,"tags":["a","b"],"nested":{"deep":[1,{"x":null}]},""" + Rest,
                },
                same with
                {
                    Body = "plain",
                    Attributes = "{" + Rest,
                },
                same with
                {
                    Body = """{"reason":"no stock","items":[1,2]}""",
                    Severity = 18,
                    EventName = "order.refused",
                    Attributes = "{" + Rest,
                },
            ],
            (await Stored($"js-{kind}", count: 3)).OrderBy(line =>
                line.Body[0] == '{' ? 2
                : line.Body == "plain" ? 1
                : 0
            )
        );
    }

    [Theory]
    [InlineData("--tcp", "--rfc5424")]
    [InlineData("--tcp", "--rfc5424", "--octet-count")]
    [InlineData("--tcp", "--rfc3164")]
    [InlineData("--udp", "--rfc5424")]
    [InlineData("--udp", "--rfc3164")]
    public async Task Logger(params string[] form)
    {
        var tag = $"app{string.Concat(form).Replace("-", "", StringComparison.Ordinal)}";
        foreach (var text in new[] { "first: grüße", "second" })
        {
            using var logger = Process.Start(
                "logger",
                [
                    "--server",
                    "127.0.0.1",
                    "--port",
                    silo.SyslogPort.ToString(CultureInfo.InvariantCulture),
                    .. form,
                    "--priority",
                    "local0.warning",
                    "--tag",
                    tag,
                    "--id=4711",
                    "--",
                    text,
                ]
            );
            await logger.WaitForExitAsync(Cancel);
            Assert.Equal(0, logger.ExitCode);
        }

        var lines = await Stored(tag, count: 2);

        Assert.Equal(["first: grüße", "second"], lines.Select(line => line.Body).Order(StringComparer.Ordinal));
        Assert.All(lines, line =>
            Assert.Equal((13, "warning", Dns.GetHostName().Split('.')[0]), (line.Severity, line.SeverityText, line.Host.Split('.')[0]))
        );
        Assert.All(lines, line =>
            Assert.Contains("\"syslog.facility\":16,\"syslog.procid\":\"4711\"", line.Attributes, StringComparison.Ordinal)
        );

        // The time is the client's: RFC 3164 has whole seconds, and no year and no zone.
        Assert.All(lines, line =>
            Assert.InRange((long)(line.Observed - line.Time), -2_000_000_000L, (long)Wait.HangBound.TotalNanoseconds)
        );
    }

    /// <summary>
    /// What is stored of a service, as soon as there is so much: syslog acknowledges nothing, so there is nothing to wait for.
    /// </summary>
    private async Task<IReadOnlyList<LogLine>> Stored(string service, int count)
    {
        LogLine[] lines = [];
        await Wait.Until(
            async () =>
                (lines = [.. (await StoredRecords.Of(_place, shards: 2, Cancel)).Lines.Where(line => line.Service == service)]).Length
                >= count,
            $"{count} records of {service} to be stored",
            () => $"There are {lines.Length}."
        );
        Assert.Equal(count, lines.Length);
        return lines;
    }

#pragma warning disable CA1848, CA2254, CA1873 // As an application writes it.
    private static void Write(Microsoft.Extensions.Logging.ILogger logger, string id, int count) =>
        logger.LogInformation("Order {Id} has {Count} items", id, count);

    private static void WriteFailed(Microsoft.Extensions.Logging.ILogger logger, double seconds) =>
        logger.LogError("Failed after {Seconds}", seconds);
#pragma warning restore CA1848, CA2254, CA1873
}
