using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Doubles.Logs;

/// <summary>
/// Puts an <see cref="OtlpRequest"/> into OTLP's JSON: lowerCamelCase, ids as hex, enums as numbers, 64-bit integers as texts, bytes as
/// base64.
/// </summary>
public static class OtlpJson
{
    public static byte[] Encode(OtlpRequest request)
    {
        var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartArray("resourceLogs");
            foreach (var resource in request.ResourceLogs)
            {
                Write(json, resource);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }

    private static void Write(Utf8JsonWriter json, OtlpResourceLogs logs)
    {
        json.WriteStartObject();
        if (logs.Resource is { } resource)
        {
            json.WriteStartObject("resource");
            WritePairs(json, "attributes", resource.Attributes);
            json.WriteNumber("droppedAttributesCount", resource.Dropped);
            json.WriteEndObject();
        }

        json.WriteStartArray("scopeLogs");
        foreach (var scope in logs.ScopeLogs)
        {
            Write(json, scope);
        }

        json.WriteEndArray();
        json.WriteString("schemaUrl", logs.SchemaUrl);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, OtlpScopeLogs logs)
    {
        json.WriteStartObject();
        if (logs.Scope is { } scope)
        {
            json.WriteStartObject("scope");
            json.WriteString("name", scope.Name);
            json.WriteString("version", scope.Version);
            WritePairs(json, "attributes", scope.Attributes.IsDefault ? [] : scope.Attributes);
            json.WriteEndObject();
        }

        json.WriteStartArray("logRecords");
        foreach (var record in logs.Records)
        {
            Write(json, record);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, OtlpRecord record)
    {
        json.WriteStartObject();
        json.WriteString("timeUnixNano", record.Time.ToString(CultureInfo.InvariantCulture));
        json.WriteString("observedTimeUnixNano", record.Observed.ToString(CultureInfo.InvariantCulture));
        json.WriteNumber("severityNumber", record.Severity);
        json.WriteString("severityText", record.SeverityText);
        if (record.Body is not null)
        {
            json.WritePropertyName("body");
            Write(json, record.Body);
        }

        WritePairs(json, "attributes", record.Attributes);
        json.WriteNumber("droppedAttributesCount", record.Dropped);
        json.WriteNumber("flags", record.Flags);
        json.WriteString("traceId", Convert.ToHexString([.. record.TraceId]));
        json.WriteString("spanId", Convert.ToHexStringLower([.. record.SpanId]));
        json.WriteString("eventName", record.EventName);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, OtlpValue value)
    {
        json.WriteStartObject();
        switch (value)
        {
            case OtlpString text:
                json.WriteString("stringValue", text.Value);
                break;
            case OtlpBool truth:
                json.WriteBoolean("boolValue", truth.Value);
                break;
            case OtlpInt number:
                json.WriteString("intValue", number.Value.ToString(CultureInfo.InvariantCulture));
                break;
            case OtlpDouble { Value: var number } when double.IsFinite(number):
                json.WriteNumber("doubleValue", number);
                break;
            case OtlpDouble { Value: var number }:
                json.WriteString("doubleValue", number.ToString(CultureInfo.InvariantCulture));
                break;
            case OtlpBytes bytes:
                json.WriteBase64String("bytesValue", [.. bytes.Value]);
                break;
            case OtlpArray array:
                json.WriteStartObject("arrayValue");
                json.WriteStartArray("values");
                foreach (var one in array.Values)
                {
                    Write(json, one);
                }

                json.WriteEndArray();
                json.WriteEndObject();
                break;
            case OtlpMap map:
                json.WriteStartObject("kvlistValue");
                WritePairs(json, "values", map.Pairs);
                json.WriteEndObject();
                break;
        }

        json.WriteEndObject();
    }

    private static void WritePairs(Utf8JsonWriter json, string name, ImmutableArray<OtlpPair> pairs)
    {
        json.WriteStartArray(name);
        foreach (var pair in pairs)
        {
            json.WriteStartObject();
            json.WriteString("key", pair.Key);
            if (pair.Value is not null)
            {
                json.WritePropertyName("value");
                Write(json, pair.Value);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
