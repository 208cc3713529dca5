using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Silo.Telemetry;

/// <summary>
/// One JSON object a line: time (UTC), level, category, message, what the message was made of, the trace, and the exception with its stack.
/// </summary>
public sealed class JsonFormatter(TimeProvider clock) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "json-line";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter) =>
        textWriter.WriteLine(
            Line(
                clock.GetUtcNow(),
                logEntry.LogLevel,
                logEntry.Category,
                logEntry.Formatter(logEntry.State, logEntry.Exception),
                logEntry.State as IEnumerable<KeyValuePair<string, object?>>,
                logEntry.Exception
            )
        );

    /// <summary>A line of the same form for what is no entry of the log: that the silo is ready, or stops.</summary>
    /// <param name="fields">What the message says, for programs; empty: nothing more.</param>
    public static string Line(DateTimeOffset at, string message, IReadOnlyCollection<KeyValuePair<string, object?>>? fields = null) =>
        Line(at, LogLevel.Information, "Silo", message, fields is { Count: > 0 } ? fields : null, exception: null);

    private static string Line(
        DateTimeOffset at,
        LogLevel level,
        string category,
        string message,
        IEnumerable<KeyValuePair<string, object?>>? fields,
        Exception? exception
    )
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", at);
            json.WriteString("level", level.ToString());
            json.WriteString("category", category);
            json.WriteString("message", message);
            if (Activity.Current is { } activity)
            {
                json.WriteString("traceId", activity.TraceId.ToHexString());
            }

            if (fields is not null)
            {
                json.WriteStartObject("fields");
                foreach (var (name, value) in fields.Where(field => field.Key != "{OriginalFormat}").DistinctBy(field => field.Key))
                {
                    Write(json, name, value);
                }

                json.WriteEndObject();
            }

            if (exception is not null)
            {
                json.WriteString("exception", exception.ToString());
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(name);
                break;
            case int or long:
                json.WriteNumber(name, Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(name, number);
                break;
            case bool truth:
                json.WriteBoolean(name, truth);
                break;
            default:
                json.WriteString(name, Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
        }
    }
}
