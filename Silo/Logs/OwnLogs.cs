using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains;
using Grains.Logs.Intake;

namespace Silo.Logs;

/// <summary>
/// The silo's own log goes into the pipeline too, as the service <see cref="Service"/>. What the pipeline says about itself does not: it
/// would speak of its own speaking. All of it is on standard output in any case.
/// </summary>
[ProviderAlias("Own")]
internal sealed class OwnLogs(IServiceProvider services, TimeProvider clock, [FromKeyedServices(Clocks.Guards)] TimeProvider guards)
    : FeederService(new(Service, Environment.MachineName, services.GetRequiredService<ILogIntake>, clock, guards)),
        ILoggerProvider
{
    public const string Service = "silo";

    private static readonly string[] OfThePipeline = ["Grains.Logs", "Silo.Logs"];

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly TimeProvider _clock = clock;

    public ILogger CreateLogger(string categoryName) =>
        Array.Exists(OfThePipeline, own => categoryName.StartsWith(own, StringComparison.Ordinal))
            ? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance
            : new Category(this, categoryName);

    private static byte Severity(LogLevel level) =>
        level switch
        {
            LogLevel.Trace => 1,
            LogLevel.Debug => 5,
            LogLevel.Information => 9,
            LogLevel.Warning => 13,
            LogLevel.Error => 17,
            LogLevel.Critical => 21,
            _ => 0,
        };

    private sealed class Category(OwnLogs own, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            byte[] trace = [],
                span = [];
            if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
            {
                trace = new byte[16];
                span = new byte[8];
                activity.TraceId.CopyTo(trace);
                activity.SpanId.CopyTo(span);
            }

            own.Feeder.Add(
                new(
                    own._clock.GetUtcNow(),
                    Severity(logLevel),
                    logLevel.ToString(),
                    formatter(state, exception),
                    Attributes(state, exception),
                    trace,
                    span
                )
            );
        }

        private string Attributes<TState>(TState state, Exception? exception)
        {
            var buffer = new ArrayBufferWriter<byte>(256);
            using (var json = new Utf8JsonWriter(buffer, Options))
            {
                json.WriteStartObject();
                json.WriteString("category", name);
                if (state is IEnumerable<KeyValuePair<string, object?>> fields)
                {
                    foreach (
                        var (field, value) in fields
                            .Where(field => field.Key is not ("{OriginalFormat}" or "category"))
                            .DistinctBy(field => field.Key)
                    )
                    {
                        json.WriteString(field, Convert.ToString(value, CultureInfo.InvariantCulture));
                    }
                }

                if (exception is not null)
                {
                    json.WriteString("exception.type", exception.GetType().FullName);
                    json.WriteString("exception.message", exception.Message);
                    json.WriteString("exception.stacktrace", exception.ToString());
                }

                json.WriteEndObject();
            }

            return Encoding.UTF8.GetString(buffer.WrittenSpan);
        }
    }
}
