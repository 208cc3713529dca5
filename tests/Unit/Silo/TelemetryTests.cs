using Microsoft.Extensions.Configuration;
using Silo.Telemetry;
using Xunit;

namespace Unit.Silo;

public sealed class TelemetryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")]
    [InlineData(true, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4317")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:4317")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317", "OTEL_TRACES_EXPORTER", "none")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317", "OTEL_SDK_DISABLED", "true")]
    [InlineData(false, "OTEL_EXPORTER_OTLP_ENDPOINT", "")]
    public void TracesAreSentWhereTheEnvironmentSaysAndNowhereElse(bool sends, params string[] variables) =>
        Assert.Equal(
            sends,
            TelemetryHosting.Sends(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(variables.Chunk(2).ToDictionary(pair => pair[0], pair => (string?)pair[1]))
                    .Build(),
                "TRACES"
            )
        );
}
