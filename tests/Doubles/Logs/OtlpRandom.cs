using System.Collections.Immutable;

namespace Doubles.Logs;

/// <summary>Requests by chance, the same for the same seed: every field, every kind of value, odd texts, missing parts.</summary>
public sealed class OtlpRandom(int seed)
{
    private static readonly string[] Texts =
    [
        "",
        "a",
        "checkout",
        "GET /cart",
        "\"quoted\"",
        "back\\slash",
        "two\nlines\t\r\b\f\u0001",
        "grüße",
        "日本語",
        "👩‍🚀",
        "\u2028",
        "null",
        "{}",
        new('x', 300),
    ];

    private readonly Random _random = new(seed);

    public OtlpRequest Request() => new([.. Some(3, Resource)]);

    private OtlpResourceLogs Resource() =>
        new(
            Chance(0.9)
                ? new OtlpResource(
                    [
                        .. Chance(0.8) ? [new OtlpPair("service.name", new OtlpString(Text()))] : Array.Empty<OtlpPair>(),
                        .. Chance(0.5)
                            ? [new OtlpPair("host.name", Chance(0.9) ? new OtlpString(Text()) : Value(0))]
                            : Array.Empty<OtlpPair>(),
                        .. Pairs(3),
                    ],
                    Count()
                )
                : null,
            [.. Some(3, Scope)],
            Text()
        );

    private OtlpScopeLogs Scope() => new(Chance(0.7) ? new OtlpScope(Text(), Text(), Pairs(2)) : null, [.. Some(5, Record)], Text());

    private OtlpRecord Record() =>
        new()
        {
            Time = Chance(0.8) ? Time() : 0,
            Observed = Chance(0.8) ? Time() : 0,
            Severity = _random.Next(0, 30),
            SeverityText = Text(),
            Body = Chance(0.9) ? Value(0) : null,
            Attributes = Pairs(5),
            Dropped = Count(),
            Flags = Count(),
            TraceId = Id(16),
            SpanId = Id(8),
            EventName = Text(),
        };

    private OtlpValue Value(int depth) =>
        _random.Next(depth > 3 ? 7 : 9) switch
        {
            0 => new OtlpBool(Chance(0.5)),
            1 => new OtlpInt(
                _random.Next(3) switch
                {
                    0 => _random.Next(-5, 5),
                    1 => _random.NextInt64(long.MinValue, long.MaxValue),
                    _ => long.MinValue,
                }
            ),
            2 => new OtlpDouble(
                _random.Next(6) switch
                {
                    0 => double.NaN,
                    1 => double.PositiveInfinity,
                    2 => double.NegativeInfinity,
                    3 => 0.1,
                    4 => 5,
                    _ => BitConverter.Int64BitsToDouble(_random.NextInt64()),
                }
            ),
            3 => new OtlpBytes([.. Some(20, () => (byte)_random.Next(256))]),
            4 => new OtlpNothing(),
            5 or 6 => new OtlpString(Text()),
            7 => new OtlpArray([.. Some(4, () => Value(depth + 1))]),
            _ => new OtlpMap([.. Some(4, () => Pair(depth + 1))]),
        };

    private ImmutableArray<OtlpPair> Pairs(int most) => [.. Some(most, () => Pair(0))];

    private OtlpPair Pair(int depth) => new(Text(), Chance(0.95) ? Value(depth) : null);

    private ImmutableArray<byte> Id(int length) =>
        _random.Next(4) switch
        {
            0 => [],
            1 => [.. new byte[length - 1]],
            _ => [.. Enumerable.Range(0, length).Select(_ => (byte)_random.Next(256))],
        };

    /// <summary>From 2001 to 2026: a plausible one.</summary>
    private ulong Time() => (ulong)_random.NextInt64(1_000_000_000_000_000_000, 1_790_000_000_000_000_000);

    private uint Count() => Chance(0.3) ? (uint)_random.NextInt64(uint.MaxValue) : 0;

    private string Text() => Texts[_random.Next(Texts.Length)];

    private bool Chance(double odds) => _random.NextDouble() < odds;

    private T[] Some<T>(int most, Func<T> make) => [.. Enumerable.Range(0, _random.Next(most + 1)).Select(_ => make())];
}
