using System.Text;
using CsCheck;
using Grains.Interfaces.Logs;
using Grains.Logs.Records;

namespace Unit.Logs;

/// <summary>One record as a value, for comparing.</summary>
internal sealed record LogValue(
    ulong Time,
    ulong Observed,
    byte Severity,
    string SeverityText,
    string Service,
    string Host,
    string EventName,
    string Body,
    string Attributes,
    string TraceId,
    string SpanId
)
{
    public static LogValue Of(LogRecord record) =>
        new(
            record.Time,
            record.ObservedTime,
            record.Severity,
            Text(record.SeverityText),
            Text(record.Service),
            Text(record.Host),
            Text(record.EventName),
            Text(record.Body),
            Text(record.Attributes),
            Id(record.TraceId),
            Id(record.SpanId)
        );

    public static IEnumerable<LogValue> Of(LogBlock block)
    {
        for (var record = 0; record < block.Count; record++)
        {
            yield return Of(block[record]);
        }
    }

    public static LogBlock Block(IEnumerable<LogValue> values)
    {
        using var builder = new LogBlockBuilder();
        foreach (var value in values)
        {
            builder.Begin(
                value.Time,
                value.Observed,
                value.Severity,
                Convert.FromHexString(value.TraceId),
                Convert.FromHexString(value.SpanId)
            );
            builder.AddText(value.SeverityText);
            builder.AddText(value.Service);
            builder.AddText(value.Host);
            builder.AddText(value.EventName);
            builder.AddText(value.Body);
            builder.AddText(value.Attributes);
            builder.End();
        }

        return builder.Build();
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    private static string Id(ReadOnlySpan<byte> id) => id.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(id) : "";
}

internal static class LogGen
{
    private static readonly Gen<string> Word = Gen.OneOf(
        Gen.Const(""),
        Gen.String[Gen.Char.AlphaNumeric, 1, 12],
        Pick("größer", "日本語 🦉", "a\u0000b", "line\nline", "\"quoted\"")
    );

    private static readonly Gen<ulong> Time = Gen.OneOf(
        Gen.ULong[1, 2_000_000],
        Gen.ULong[1_700_000_000_000_000_000, 1_700_000_000_000_001_000],
        Pick(1UL, ulong.MaxValue, 9_223_372_036_854_775_807UL, 18_446_744_073_709_551_000UL)
    );

    public static readonly Gen<LogValue> Value =
        from time in Time
        from observed in Time
        from severity in Gen.Byte[0, 24]
        from texts in Word.Array[5]
        from service in Pick("", "shop", "cart", "Ünder", "z")
        from attributes in Pick("", "{}", """{"user.id":42}""", """{"a":{"b":[1,null,"x"]}}""")
        from trace in Id(16)
        from span in Id(8)
        select new LogValue(time, observed, severity, texts[0], service, texts[1], texts[2], texts[3], attributes, trace, span);

    private static Gen<T> Pick<T>(params T[] of) => Gen.Int[0, of.Length - 1].Select(index => of[index]);

    private static Gen<string> Id(int bytes) =>
        Gen.OneOf(
            Gen.Const(""),
            Gen.Byte[1, 255].Array[bytes].Select(Convert.ToHexStringLower),
            Gen.Const("00" + new string('a', (bytes * 2) - 2))
        );
}
