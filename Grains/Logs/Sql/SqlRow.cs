using System.Collections;
using System.Data;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Text.Json;
using DuckDB.NET.Data;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Sql;

/// <summary>
/// Writes the rows of an answer as JSON arrays: numbers as numbers, times as RFC 3339, lists and structs as they are, bytes as base64, what
/// JSON has no form for as text.
/// </summary>
internal sealed class SqlRow : IDisposable
{
    private static readonly MethodInfo ReadAs = typeof(DuckDBDataReader).GetMethod(nameof(DuckDBDataReader.GetFieldValue))!;

    private readonly MemoryStream _bytes = new();
    private readonly Utf8JsonWriter _json;

    public SqlRow()
    {
        _json = new(_bytes, LogForm.Json);
    }

    /// <summary>The row that the reader stands at, as UTF-8; overwritten by the next one.</summary>
    public ReadOnlySpan<byte> Write(IDataReader reader)
    {
        _bytes.SetLength(0);
        _json.Reset();
        _json.WriteStartArray();
        for (var column = 0; column < reader.FieldCount; column++)
        {
            Value(reader.IsDBNull(column) ? null : Read(reader, column));
        }

        _json.WriteEndArray();
        _json.Flush();
        return _bytes.GetBuffer().AsSpan(0, (int)_bytes.Length);
    }

    /// <summary>A list of numbers is read as one of numbers that may be missing: read as it is, it fails at the first that is.</summary>
    private static object Read(IDataReader reader, int column)
    {
        var type = reader.GetFieldType(column);
        var nullable = Nullable(type);
        return type == nullable || reader is not DuckDBDataReader rows
            ? reader.GetValue(column)
            : ReadAs.MakeGenericMethod(nullable).Invoke(rows, [column])!;
    }

    private static Type Nullable(Type type) =>
        type switch
        {
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(List<>) && type.GetGenericArguments()[0] is var item =>
                typeof(List<>).MakeGenericType(
                    item.IsValueType && System.Nullable.GetUnderlyingType(item) is null
                        ? typeof(Nullable<>).MakeGenericType(item)
                        : Nullable(item)
                ),
            _ => type,
        };

    public void Dispose()
    {
        _json.Dispose();
        _bytes.Dispose();
    }

    private void Value(object? value)
    {
        switch (value)
        {
            case null or DBNull:
                _json.WriteNullValue();
                break;
            case string text:
                _json.WriteStringValue(text);
                break;
            case bool truth:
                _json.WriteBooleanValue(truth);
                break;
            case float or double when !double.IsFinite(Convert.ToDouble(value, CultureInfo.InvariantCulture)):
                _json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
            case sbyte or byte or short or ushort or int or uint or long or ulong or float or double or decimal or BigInteger:
                _json.WriteRawValue(Convert.ToString(value, CultureInfo.InvariantCulture)!);
                break;
            case DateTime time:
                _json.WriteStringValue(time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
                break;
            case DateTimeOffset time:
                _json.WriteStringValue(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
                break;
            case DateOnly date:
                _json.WriteStringValue(date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                break;
            case byte[] bytes:
                _json.WriteBase64StringValue(bytes);
                break;
            case Stream stream:
                var copy = new MemoryStream();
                stream.CopyTo(copy);
                _json.WriteBase64StringValue(copy.GetBuffer().AsSpan(0, (int)copy.Length));
                break;
            case IDictionary members:
                _json.WriteStartObject();
                foreach (DictionaryEntry member in members)
                {
                    _json.WritePropertyName(Convert.ToString(member.Key, CultureInfo.InvariantCulture) ?? "");
                    Value(member.Value);
                }

                _json.WriteEndObject();
                break;
            case IEnumerable items:
                _json.WriteStartArray();
                foreach (var item in items)
                {
                    Value(item);
                }

                _json.WriteEndArray();
                break;
            default:
                _json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
