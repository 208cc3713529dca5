using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Grains.Logs.Queries;
using Grains.Logs.Records;

namespace Grains.Logs.Rules;

/// <summary>Changes attributes, which are one JSON object or nothing, and leaves them one.</summary>
internal static class AttributeEdit
{
    /// <summary>Deeper values stay as they are; what is stored has 64 levels at most.</summary>
    private const int MaxDepth = 128;

    /// <summary>
    /// Writes the attributes with <paramref name="name"/> set: in the place of the first member of this name, without the others, or at the
    /// end.
    /// </summary>
    public static void Set(ByteHeap into, ReadOnlySpan<byte> attributes, string name, string json)
    {
        var utf8 = Encoding.UTF8.GetBytes(name);
        var isSet = false;
        into.Append((byte)'{');
        var start = into.Length;
        var scan = new AttributeScan(attributes);
        while (scan.Next())
        {
            if (!AttributeScan.IsNamed(scan.Name, utf8))
            {
                Member(into, start, scan.Name, scan.Value);
            }
            else if (!isSet)
            {
                Member(into, start, scan.Name, Encoding.UTF8.GetBytes(json));
                isSet = true;
            }
        }

        if (!isSet)
        {
            Comma(into, start);
            JsonText.WriteString(into, utf8);
            into.Append((byte)':');
            into.Append(json.AsSpan());
        }

        into.Append((byte)'}');
    }

    /// <summary>
    /// Writes the attributes with secrets replaced in the values of <paramref name="fields"/> (all when empty), however deep they lie. A
    /// number that is one becomes a text.
    /// </summary>
    /// <returns>False when nothing had to be replaced; what was written is to be cut off again.</returns>
    public static bool Redact(ByteHeap into, ReadOnlySpan<byte> attributes, ImmutableArray<Secret> secrets, ImmutableArray<string> fields)
    {
        var changed = false;
        WriteObject(into, attributes, secrets, fields, "", 0, ref changed);
        return changed;
    }

    private static void WriteObject(
        ByteHeap into,
        ReadOnlySpan<byte> json,
        ImmutableArray<Secret> secrets,
        ImmutableArray<string> fields,
        string path,
        int depth,
        ref bool changed
    )
    {
        into.Append((byte)'{');
        var start = into.Length;
        var scan = new AttributeScan(json);
        while (scan.Next())
        {
            Comma(into, start);
            into.Append((byte)'"');
            into.Append(scan.Name);
            into.Append("\":"u8);
            if (fields.IsEmpty)
            {
                WriteValue(into, scan.Value, secrets, depth + 1, ref changed);
                continue;
            }

            var name = path + NameOf(scan.Name);
            if (fields.Contains(name))
            {
                WriteValue(into, scan.Value, secrets, depth + 1, ref changed);
            }
            else if (scan.Value[0] == '{' && depth < MaxDepth && HasFieldWithin(fields, name))
            {
                WriteObject(into, scan.Value, secrets, fields, name + ".", depth + 1, ref changed);
            }
            else
            {
                into.Append(scan.Value);
            }
        }

        into.Append((byte)'}');
    }

    private static bool HasFieldWithin(ImmutableArray<string> fields, string name) =>
        fields.Any(field => field.StartsWith(name + ".", StringComparison.Ordinal));

    private static void WriteValue(ByteHeap into, ReadOnlySpan<byte> value, ImmutableArray<Secret> secrets, int depth, ref bool changed)
    {
        switch (value[0])
        {
            case (byte)'{' when depth < MaxDepth:
                WriteObject(into, value, secrets, [], "", depth, ref changed);
                return;
            case (byte)'[' when depth < MaxDepth:
                WriteArray(into, value, secrets, depth, ref changed);
                return;
            case (byte)'"':
                var room = ArrayPool<byte>.Shared.Rent(value.Length);
                var text = SecretFinder.Redact(AttributeScan.Unescape(value, room), secrets);
                ArrayPool<byte>.Shared.Return(room);
                WriteText(into, text, value, ref changed);
                return;
            case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                WriteText(into, SecretFinder.Redact(value, secrets), value, ref changed);
                return;
            default:
                into.Append(value);
                return;
        }
    }

    private static void WriteArray(ByteHeap into, ReadOnlySpan<byte> json, ImmutableArray<Secret> secrets, int depth, ref bool changed)
    {
        into.Append((byte)'[');
        var start = into.Length;
        var scan = AttributeScan.OfArray(json);
        while (scan.NextValue())
        {
            Comma(into, start);
            WriteValue(into, scan.Value, secrets, depth + 1, ref changed);
        }

        into.Append((byte)']');
    }

    private static void WriteText(ByteHeap into, string? redacted, ReadOnlySpan<byte> value, ref bool changed)
    {
        if (redacted is null)
        {
            into.Append(value);
            return;
        }

        changed = true;
        JsonText.WriteString(into, redacted.AsSpan());
    }

    private static string NameOf(ReadOnlySpan<byte> written)
    {
        if (!written.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(written);
        }

        byte[] quoted = [(byte)'"', .. written, (byte)'"'];
        return Encoding.UTF8.GetString(AttributeScan.Unescape(quoted, new byte[quoted.Length]));
    }

    private static void Member(ByteHeap into, int start, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Comma(into, start);
        into.Append((byte)'"');
        into.Append(name);
        into.Append("\":"u8);
        into.Append(value);
    }

    private static void Comma(ByteHeap into, int start)
    {
        if (into.Length > start)
        {
            into.Append((byte)',');
        }
    }
}
