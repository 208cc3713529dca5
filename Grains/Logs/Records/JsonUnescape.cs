using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Grains.Logs.Records;

/// <summary>
/// Takes strings out of JSON that was tokenised, whatever they hold: a lone surrogate or bytes that are no UTF-8 become U+FFFD, where
/// <see cref="Utf8JsonReader"/> itself would throw.
/// </summary>
public static class JsonUnescape
{
    /// <summary>The string, or the member's name, that the reader stands on.</summary>
    public static void Append(ByteHeap into, ref readonly Utf8JsonReader reader)
    {
        if (reader.ValueIsEscaped)
        {
            Append(into, reader.ValueSpan);
        }
        else
        {
            into.AppendText(reader.ValueSpan);
        }
    }

    /// <param name="raw">What stands between the quotes; its escapes are well formed (RFC 8259 §7).</param>
    public static void Append(ByteHeap into, ReadOnlySpan<byte> raw)
    {
        for (int at; (at = raw.IndexOf((byte)'\\')) >= 0; )
        {
            into.AppendText(raw[..at]);
            raw = raw[(at + 1)..];
            if (raw[0] != 'u')
            {
                into.Append(
                    raw[0] switch
                    {
                        (byte)'n' => (byte)'\n',
                        (byte)'r' => (byte)'\r',
                        (byte)'t' => (byte)'\t',
                        (byte)'b' => (byte)'\b',
                        (byte)'f' => (byte)'\f',
                        var itself => itself,
                    }
                );
                raw = raw[1..];
                continue;
            }

            var unit = Unit(raw);
            raw = raw[5..];
            if (char.IsHighSurrogate(unit) && raw.StartsWith("\\u"u8) && Unit(raw[1..]) is var low && char.IsLowSurrogate(low))
            {
                AppendRune(into, new Rune(unit, low));
                raw = raw[6..];
            }
            else
            {
                AppendRune(into, char.IsSurrogate(unit) ? Rune.ReplacementChar : new Rune(unit));
            }
        }

        into.AppendText(raw);
    }

    private static char Unit(ReadOnlySpan<byte> fromU) =>
        (char)ushort.Parse(fromU.Slice(1, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static void AppendRune(ByteHeap into, Rune rune) => into.Advance(rune.EncodeToUtf8(into.GetSpan(4)));
}
