using System.Text.Json;
using Doubles.Logs;
using Grains.Logs.Otlp;
using Grains.Logs.Records;
using Xunit;

namespace Unit.Logs;

public sealed class OtlpDecoderTests
{
    private const ulong Now = 1_700_000_000_000_000_000;

    private static readonly byte[] Trace = [.. Enumerable.Range(1, 16).Select(value => (byte)value)];
    private static readonly byte[] Span = [.. Enumerable.Range(1, 8).Select(value => (byte)value)];

    [Fact]
    public void EveryFieldIsWhereItBelongs()
    {
        var request = new OtlpRequest(
            new OtlpResourceLogs(
                new([
                    new("service.name", new OtlpString("checkout")),
                    new("host.name", new OtlpString("web-1")),
                    new("k8s.pod.name", new OtlpString("p\"1\"")),
                    new("process.pid", new OtlpInt(7)),
                ]),
                [
                    new(
                        new("My.Scope", "1.2", [new("lib", new OtlpBool(true))]),
                        [
                            new()
                            {
                                Time = 1_544_712_660_300_000_000,
                                Observed = 1_544_712_660_300_000_001,
                                Severity = 10,
                                SeverityText = "Information",
                                Body = new OtlpString("Example log record"),
                                Attributes =
                                [
                                    new("string.attribute", new OtlpString("some string")),
                                    new("boolean.attribute", new OtlpBool(true)),
                                    new("int.attribute", new OtlpInt(10)),
                                    new("double.attribute", new OtlpDouble(637.704)),
                                    new("array.attribute", new OtlpArray(new OtlpString("many"), new OtlpInt(-1))),
                                    new("map.attribute", new OtlpMap(new OtlpPair("some.map.key", new OtlpString("some value")))),
                                    new("bytes", new OtlpBytes(1, 2, 255)),
                                    new("none", null),
                                ],
                                Dropped = 3,
                                Flags = 1,
                                TraceId = [.. Trace],
                                SpanId = [.. Span],
                                EventName = "cart.opened",
                            },
                        ]
                    ),
                ]
            )
        );

        var (lines, decoded) = Decode(OtlpProto.Encode(request));

        var line = Assert.Single(lines);
        Assert.Equal(
            new()
            {
                Time = 1_544_712_660_300_000_000,
                Observed = 1_544_712_660_300_000_001,
                Severity = 10,
                SeverityText = "Information",
                Service = "checkout",
                Host = "web-1",
                EventName = "cart.opened",
                Body = "Example log record",
                TraceId = "0102030405060708090a0b0c0d0e0f10",
                SpanId = "0102030405060708",
                Attributes = string.Concat(
                    """{"string.attribute":"some string","boolean.attribute":true,"int.attribute":10,"double.attribute":637.704,"array.attribute":["many",-1],""",
                    """ "map.attribute":{"some.map.key":"some value"},"bytes":"AQL/","none":null,"otel.trace_flags":1,"otel.dropped_attributes_count":3,""".TrimStart(),
                    """ "otel.scope.name":"My.Scope","otel.scope.version":"1.2","scope.lib":true,"resource.k8s.pod.name":"p\"1\"","resource.process.pid":7}""".TrimStart()
                ),
            },
            line
        );
        Assert.Equal((1, 0), (decoded.Received, decoded.Refused));
    }

    [Fact]
    public void TheResourceAndTheScopeMayStandBehindTheirRecords()
    {
        var record = OtlpProto.Of(
            new OtlpRecord
            {
                Time = 5,
                Observed = 5,
                Body = new OtlpString("b"),
            }
        );
        var scopeLogs = new ProtoBytes().Message(2, record).Message(1, new ProtoBytes().Text(1, "S"));
        var resource = new ProtoBytes().Message(
            1,
            new ProtoBytes().Text(1, "service.name").Message(2, OtlpProto.Of(new OtlpString("late")))
        );
        var bytes = new ProtoBytes().Message(1, new ProtoBytes().Message(2, scopeLogs).Message(1, resource)).ToArray();

        Assert.Equal(
            [
                new()
                {
                    Time = 5,
                    Observed = 5,
                    Service = "late",
                    Body = "b",
                    Attributes = """{"otel.scope.name":"S"}""",
                },
            ],
            Decode(bytes).Lines
        );
    }

    [Fact]
    public void EachResourceHasItsOwnRecords()
    {
        var request = new OtlpRequest([
            .. OtlpRequest.Of("one", new OtlpRecord { Time = 1, Observed = 1 }).ResourceLogs,
            new(null, [new(null, [new() { Time = 2, Observed = 2 }])]),
            .. OtlpRequest.Of("two", new OtlpRecord { Time = 3, Observed = 3 }).ResourceLogs,
        ]);

        Assert.Equal(["one", "unknown_service", "two"], Decode(OtlpProto.Encode(request)).Lines.Select(line => line.Service));
    }

    [Fact]
    public void TheLastOfTwoNamesCounts()
    {
        var request = new OtlpRequest(
            new OtlpResourceLogs(
                new([new("service.name", new OtlpString("first")), new("service.name", new OtlpString("second"))]),
                [new(null, [new() { Time = 1, Observed = 1 }])]
            )
        );
        Assert.Equal("second", Assert.Single(Decode(OtlpProto.Encode(request)).Lines).Service);
    }

    [Fact]
    public void AServiceNameIsCutWithinItsBoundAndNotWithinACharacter()
    {
        var line = Assert.Single(
            Decode(OtlpProto.Encode(OtlpRequest.Of(new string('é', 200), new OtlpRecord { Time = 1, Observed = 1 }))).Lines
        );
        Assert.Equal(new string('é', 128), line.Service);

        line = Assert.Single(
            Decode(OtlpProto.Encode(OtlpRequest.Of("x" + new string('é', 200), new OtlpRecord { Time = 1, Observed = 1 }))).Lines
        );
        Assert.Equal("x" + new string('é', 127), line.Service);
    }

    [Theory]
    [InlineData(0, "Warning", 13)]
    [InlineData(0, "eRRoR", 17)]
    [InlineData(0, "INFO3", 11)]
    [InlineData(0, "loud", 0)]
    [InlineData(9, "ERROR", 9)]
    [InlineData(99, "fatal", 21)]
    public void ASeveritysTextAloneGivesItsNumber(int number, string text, int expected)
    {
        var request = OtlpRequest.Of(
            "s",
            new OtlpRecord
            {
                Time = 1,
                Severity = number,
                SeverityText = text,
            }
        );
        Assert.Equal(
            (expected, text),
            Decode(OtlpProto.Encode(request)).Lines[0] is var line ? (line.Severity, line.SeverityText) : default
        );

        using var builder = new LogBlockBuilder();
        using var json = new OtlpDecoder(1 << 20);
        json.DecodeJson(OtlpJson.Encode(request), Now, builder);
        Assert.Equal((expected, text), LogLine.Of(builder.Build())[0] is var same ? (same.Severity, same.SeverityText) : default);
    }

    [Theory]
    [InlineData(0ul, 0ul, Now, Now)] // No time at all: when it came in.
    [InlineData(0ul, 7ul, 7ul, 7ul)]
    [InlineData(7ul, 0ul, 7ul, Now)]
    [InlineData(ulong.MaxValue, 1ul, ulong.MaxValue, 1ul)] // The year 2554.
    public void NoTimeIsTheObservedOne(ulong time, ulong observed, ulong expected, ulong expectedObserved)
    {
        var (lines, _) = Decode(OtlpProto.Encode(OtlpRequest.Of("s", new OtlpRecord { Time = time, Observed = observed })));
        Assert.Equal((expected, expectedObserved), (lines[0].Time, lines[0].Observed));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(24, 24)]
    [InlineData(25, 0)]
    [InlineData(-1, 0)]
    [InlineData(int.MinValue, 0)]
    public void ASeverityThatIsNoneIsNotSaid(int sent, int expected) =>
        Assert.Equal(
            expected,
            Decode(OtlpProto.Encode(OtlpRequest.Of("s", new OtlpRecord { Time = 1, Severity = sent }))).Lines[0].Severity
        );

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(32)]
    public void ATraceIdOfAnotherLengthIsNone(int length) =>
        Assert.Equal(
            "",
            Decode(OtlpProto.Encode(OtlpRequest.Of("s", new OtlpRecord { Time = 1, TraceId = [.. Enumerable.Repeat((byte)1, length)] })))
                .Lines[0]
                .TraceId
        );

    [Fact]
    public void ABodyThatIsNoStringIsItsJson()
    {
        OtlpValue?[] bodies =
        [
            new OtlpInt(-5),
            new OtlpDouble(1),
            new OtlpDouble(double.NaN),
            new OtlpBool(false),
            new OtlpMap(new OtlpPair("a", new OtlpArray(new OtlpNothing()))),
            new OtlpBytes(0),
            new OtlpArray(),
            new OtlpNothing(),
            null,
            new OtlpString("null"),
        ];
        var request = OtlpRequest.Of("s", [.. bodies.Select(body => new OtlpRecord { Time = 1, Body = body })]);
        Assert.Equal(
            ["-5", "1.0", "\"NaN\"", "false", """{"a":[null]}""", "\"AA==\"", "[]", "", "", "null"],
            Decode(OtlpProto.Encode(request)).Lines.Select(line => line.Body)
        );
    }

    [Fact]
    public void AnEmptyRequestHoldsNothing()
    {
        Assert.Equal(0, Decode([]).Decoded.Received);
        Assert.Equal(0, Decode(new ProtoBytes().Message(1, new()).ToArray()).Decoded.Received);
    }

    [Fact]
    public void UnknownFieldsArePassedOver()
    {
        var record = OtlpProto
            .Of(
                new OtlpRecord
                {
                    Time = 1,
                    Observed = 2,
                    Body = new OtlpString("b"),
                }
            )
            .NumberAlways(99, 3)
            .Tag(100, 1)
            .Raw(1, 2, 3, 4, 5, 6, 7, 8)
            .Tag(101, 5)
            .Raw(1, 2, 3, 4)
            .Text(102, "new");
        var bytes = new ProtoBytes()
            .Message(1, new ProtoBytes().Text(9, "new").Message(2, new ProtoBytes().Text(9, "new").Message(2, record)))
            .Text(9, "new")
            .ToArray();
        Assert.Equal(
            [
                new()
                {
                    Time = 1,
                    Observed = 2,
                    Body = "b",
                },
            ],
            Decode(bytes).Lines
        );
    }

    [Fact]
    public void InvalidUtf8AndLoneSurrogatesBecomeReplacementCharacters()
    {
        // ED A0 80 is U+D800 put into three bytes, which UTF-8 does not know.
        var record = new ProtoBytes()
            .Fixed64(1, 1)
            .Fixed64(11, 1)
            .Bytes(3, [0x61, 0xff])
            .Message(5, new ProtoBytes().Bytes(1, [0xed, 0xa0, 0x80, 0x62]))
            .Message(6, new ProtoBytes().Bytes(1, [0xc3]).Message(2, new ProtoBytes().Bytes(1, [0x22, 0xc0, 0x0a])));
        var bytes = new ProtoBytes().Message(1, new ProtoBytes().Message(2, new ProtoBytes().Message(2, record))).ToArray();

        var line = Assert.Single(Decode(bytes).Lines);

        Assert.Equal(("a\ufffd", "\ufffd\ufffd\ufffdb", "{\"\ufffd\":\"\\\"\ufffd\\n\"}"), (line.SeverityText, line.Body, line.Attributes));
    }

    [Theory]
    [InlineData(64, 0)]
    [InlineData(65, 1)]
    [InlineData(10_000, 1)]
    public void ARecordThatNestsTooDeepIsRefusedAndItsNeighboursAreTaken(int depth, int refused)
    {
        var deep = new ProtoBytes().Raw(OtlpProto.Of(new OtlpInt(1)).ToArray());
        for (var level = 0; level < depth; level++)
        {
            deep = new ProtoBytes().Message(5, new ProtoBytes().Message(1, deep));
        }

        var good = OtlpProto.Of(new OtlpRecord { Time = 1, Body = new OtlpString("good") });
        foreach (
            var bad in new[]
            {
                new ProtoBytes().Fixed64(1, 1).Message(5, deep),
                new ProtoBytes().Fixed64(1, 1).Message(6, new ProtoBytes().Text(1, "k").Message(2, deep)),
            }
        )
        {
            var (lines, decoded) = Decode(
                new ProtoBytes()
                    .Message(1, new ProtoBytes().Message(2, new ProtoBytes().Message(2, good).Message(2, bad).Message(2, good)))
                    .ToArray()
            );
            Assert.Equal((3, refused), (decoded.Received, decoded.Refused));
            Assert.Equal(("good", "good"), (lines[0].Body, lines[^1].Body));
            Assert.Equal(3 - refused, lines.Count);
            Assert.Equal(
                refused == 0 ? [] : [new DecodeFault(2, "too-deep", "Record 2 has values that lie in each other more than 64 deep.")],
                decoded.Faults
            );
        }
    }

    [Fact]
    public void AResourceThatNestsTooDeepTakesItsOwnRecordsWithIt()
    {
        OtlpValue deep = new OtlpInt(1);
        for (var level = 0; level < 100; level++)
        {
            deep = new OtlpArray(deep);
        }

        var request = new OtlpRequest([
            new(new([new("service.name", new OtlpString("bad")), new("deep", deep)]), [new(null, [new() { Time = 1 }])]),
            .. OtlpRequest.Of("good", new OtlpRecord { Time = 1 }).ResourceLogs,
        ]);
        var (lines, decoded) = Decode(OtlpProto.Encode(request));

        Assert.Equal("good", Assert.Single(lines).Service);
        Assert.Equal(1, decoded.RefusedByReason[("bad", "too-deep")]);
    }

    [Fact]
    public void TenThousandAttributesAreTaken()
    {
        var request = OtlpRequest.Of(
            "s",
            new OtlpRecord
            {
                Time = 1,
                Attributes = [.. Enumerable.Range(0, 10_000).Select(number => new OtlpPair($"k{number}", new OtlpInt(number)))],
            }
        );
        using var attributes = JsonDocument.Parse(Assert.Single(Decode(OtlpProto.Encode(request)).Lines).Attributes);
        Assert.Equal(10_000, attributes.RootElement.EnumerateObject().Count());
    }

    [Fact]
    public void ALargeRecordIsRefusedAndItsNeighboursAreTaken()
    {
        var request = OtlpRequest.Of(
            "s",
            new OtlpRecord { Time = 1, Body = new OtlpString("a") },
            new OtlpRecord { Time = 1, Body = new OtlpString(new string('x', 20_000_000)) },
            new OtlpRecord { Time = 1, Body = new OtlpString("b") }
        );

        var (lines, decoded) = Decode(OtlpProto.Encode(request));

        Assert.Equal(["a", "b"], lines.Select(line => line.Body));
        Assert.Equal([new DecodeFault(2, "too-large", "Record 2 has 20000019 bytes; 1048576 are the most.")], decoded.Faults);
        Assert.Equal(1, decoded.RefusedByReason[("s", "too-large")]);
    }

    [Fact]
    public void ALargeResourceIsNotMultipliedByItsRecords()
    {
        var resource = new OtlpResource([new("service.name", new OtlpString("s")), new("large", new OtlpString(new string('x', 100_000)))]);
        var request = new OtlpRequest(
            new OtlpResourceLogs(resource, [new(null, [.. Enumerable.Repeat(new OtlpRecord { Time = 1 }, 100)])])
        );
        using var builder = new LogBlockBuilder();
        using var decoder = new OtlpDecoder(new DecodeLimits(MaxRecordBytes: 1 << 20, MaxBlockBytes: 1_000_000));

        var decoded = decoder.Decode(OtlpProto.Encode(request), Now, builder);

        Assert.Equal((100, 91, 9), (decoded.Received, decoded.Refused, builder.Count));
        Assert.Equal(91, decoded.RefusedByReason[("s", "too-many")]);
        Assert.Equal(20, decoded.Faults.Count);
    }

    [Theory]
    [InlineData("0a", "a number is cut off")]
    [InlineData("0a05", "a field says that it has 5 bytes, and 0 are left")]
    [InlineData("0a8080808080808080808001", "a number has more than ten bytes")]
    [InlineData("0affffffffffffffffff01", "a field says that it has 18446744073709551615 bytes, and 0 are left")]
    [InlineData("00", "a field's tag is 0")]
    [InlineData("0b", "resource_logs has the wire type 3, and 2 is right")]
    [InlineData("0801", "resource_logs has the wire type 0, and 2 is right")]
    [InlineData("17", "field 2 has the wire type 7, which is none of this format")]
    [InlineData("0a0612041202080a", "time_unix_nano has the wire type 0, and 1 is right")]
    [InlineData("0a07120512030901ff", "8 bytes are due, and 2 are left")]
    [InlineData("7b22726573", "field 15 has the wire type 3, which is none of this format")] // JSON, by mistake.
    public void WhatIsNoProtobufIsRefusedWithWhatIsWrong(string hex, string fault) =>
        Assert.Equal($"This is no OTLP request: {fault}.", Assert.Throws<OtlpException>(() => Decode(Convert.FromHexString(hex))).Message);

    [Fact]
    public void EveryTruncationIsRefusedOrHoldsLess()
    {
        var whole = OtlpProto.Encode(new OtlpRandom(5).Request());
        for (var length = 0; length < whole.Length; length++)
        {
            Survives(whole.AsSpan(0, length));
        }
    }

    [Fact]
    public void MutatedRequestsAreDecodedOrRefusedAndNothingElse()
    {
        var random = new Random(20261123);
        for (var seed = 0; seed < 300; seed++)
        {
            var whole = OtlpProto.Encode(new OtlpRandom(seed).Request());
            for (var turn = 0; turn < 60 && whole.Length > 0; turn++)
            {
                Survives(Mutated(whole, random));
            }
        }
    }

    [Fact]
    public void WhatIsTakenIsValidText()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            foreach (var line in Decode(OtlpProto.Encode(new OtlpRandom(seed).Request())).Lines.Where(line => line.Attributes != ""))
            {
                using var json = JsonDocument.Parse(line.Attributes);
                Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
            }
        }
    }

    private static byte[] Mutated(byte[] whole, Random random)
    {
        var bytes = whole.ToList();
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                case 3 when bytes.Count > 1:
                    bytes.RemoveRange(at, Math.Min(bytes.Count - 1 - at, random.Next(4)) is var few and > 0 ? few : 0);
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>It is decoded, and what was taken can be read; or it is refused as no OTLP.</summary>
    private static void Survives(ReadOnlySpan<byte> bytes)
    {
        using var builder = new LogBlockBuilder();
        using var decoder = new OtlpDecoder(1 << 20);
        try
        {
            var decoded = decoder.Decode(bytes, Now, builder);
            Assert.Equal(decoded.Received, builder.Count + decoded.Refused);
        }
        catch (OtlpException)
        {
            return;
        }

        foreach (var line in LogLine.Of(builder.Build()))
        {
            Assert.NotEqual(0ul, line.Time);
        }
    }

    private static (IReadOnlyList<LogLine> Lines, Decoded Decoded) Decode(byte[] request)
    {
        using var builder = new LogBlockBuilder();
        using var decoder = new OtlpDecoder(maxRecordBytes: 1 << 20);
        var decoded = decoder.Decode(request, Now, builder);
        var block = builder.Build();
        Assert.Equal(builder.Bytes, block.Bytes.Length);
        Assert.True(System.Text.Unicode.Utf8.IsValid(block.Heap));
        return (LogLine.Of(block), decoded);
    }
}
