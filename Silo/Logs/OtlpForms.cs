using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Grains.Logs.Records;

namespace Silo.Logs;

/// <summary>The few messages that OTLP is answered with, in protobuf and JSON.</summary>
internal static class OtlpForms
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>ExportLogsServiceResponse</c>: empty when everything was taken, else how many records were rejected, and why.</summary>
    public static byte[] Response(Decoded decoded, bool isJson)
    {
        if (isJson)
        {
            return Object(json =>
            {
                if (decoded.Refused > 0)
                {
                    json.WriteStartObject("partialSuccess");
                    json.WriteString("rejectedLogRecords", decoded.Refused.ToString(CultureInfo.InvariantCulture));
                    json.WriteString("errorMessage", Words(decoded));
                    json.WriteEndObject();
                }
            });
        }

        return decoded.Refused == 0 ? [] : Message(1, [.. Number(1, (ulong)decoded.Refused), .. Text(2, Words(decoded))]);
    }

    /// <summary><c>google.rpc.Status</c>.</summary>
    /// <param name="retryAfter">Goes into the details as <c>google.rpc.RetryInfo</c>, in protobuf only.</param>
    public static byte[] Status(int code, string message, bool isJson, TimeSpan? retryAfter = null)
    {
        if (isJson)
        {
            return Object(json =>
            {
                json.WriteNumber("code", code);
                json.WriteString("message", message);
            });
        }

        byte[] details = retryAfter is { } wait
            ? Message(
                3,
                [
                    .. Text(1, "type.googleapis.com/google.rpc.RetryInfo"),
                    .. Message(2, Message(1, Number(1, (ulong)Math.Max(1, Math.Ceiling(wait.TotalSeconds))))),
                ]
            )
            : [];
        return [.. Number(1, (ulong)code), .. Text(2, message), .. details];
    }

    /// <summary>The code of gRPC that says what an HTTP status says (google/rpc/code.proto).</summary>
    public static int CodeOf(int status) =>
        status switch
        {
            StatusCodes.Status400BadRequest or StatusCodes.Status415UnsupportedMediaType => 3, // INVALID_ARGUMENT
            StatusCodes.Status401Unauthorized => 16, // UNAUTHENTICATED
            StatusCodes.Status403Forbidden => 7, // PERMISSION_DENIED
            StatusCodes.Status404NotFound => 12, // UNIMPLEMENTED: not at this door
            StatusCodes.Status408RequestTimeout => 4, // DEADLINE_EXCEEDED
            StatusCodes.Status413PayloadTooLarge => 8, // RESOURCE_EXHAUSTED, which without RetryInfo is not to be sent again
            StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable => 14, // UNAVAILABLE
            StatusCodes.Status501NotImplemented => 12, // UNIMPLEMENTED: a compression that is not known
            _ => 13, // INTERNAL
        };

    private static string Words(Decoded decoded)
    {
        var words = string.Join(' ', decoded.Faults.Select(fault => fault.Sentence));
        return decoded.Refused > decoded.Faults.Count ? $"{words} And {decoded.Refused - decoded.Faults.Count} more." : words;
    }

    private static byte[] Object(Action<Utf8JsonWriter> members)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes, Json))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static byte[] Number(int field, ulong value) => [(byte)(field << 3), .. Varint(value)];

    private static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Message(int field, byte[] message) => [(byte)((field << 3) | 2), .. Varint((ulong)message.Length), .. message];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>(10);
        for (; value > 0x7f; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        return [.. bytes, (byte)value];
    }
}
