using System.Text;
using Doubles.Logs;
using Grains.Logs.Otlp;
using Grains.Logs.Records;
using Xunit;

namespace Unit.Logs;

public sealed class OtlpJsonTests
{
    private const ulong Now = 1_700_000_000_000_000_000;

    [Fact]
    public void TheSameRequestGivesTheSameRecordsAsProtobuf()
    {
        for (var seed = 0; seed < 1000; seed++)
        {
            var request = new OtlpRandom(seed).Request();
            using var builder = new LogBlockBuilder();
            using var decoder = new OtlpDecoder(new DecodeLimits(1 << 20));
            var proto = decoder.Decode(OtlpProto.Encode(request), Now, builder);

            var (lines, json) = Decode(OtlpJson.Encode(request));

            Assert.Equal(LogLine.Of(builder.Build()), lines);
            Assert.Equal((request.Records, proto.Received, proto.Refused), (json.Received, json.Received, json.Refused));
        }
    }

    [Fact]
    public void TheExampleOfTheSpecificationIsRead()
    {
        var (lines, decoded) = Decode(File.ReadAllBytes(Path.Combine("Data", "logs", "otlp.json")));

        Assert.Equal(
            [
                new()
                {
                    Time = 1_544_712_660_300_000_000,
                    Observed = 1_544_712_660_300_000_000,
                    Severity = 10,
                    SeverityText = "Information",
                    Service = "my.service",
                    Body = "Example log record",
                    TraceId = "5b8efff798038103d269b633813fc60c",
                    SpanId = "eee19b7ec3c1b174",
                    Attributes =
                        """{"string.attribute":"some string","boolean.attribute":true,"int.attribute":10,"double.attribute":637.704,"array.attribute":["many","values"],"map.attribute":{"some.map.key":"some value"},"otel.scope.name":"my.library","otel.scope.version":"1.0.0","scope.my.scope.attribute":"some scope attribute"}""",
                },
            ],
            lines
        );
        Assert.Equal((1, 0), (decoded.Received, decoded.Refused));
    }

    [Theory]
    [InlineData("""{"stringValue":"a\u0000\ud83d\ude00\ud800\udc00\ud800x\/\b"}""", "a\0😀𐀀\ufffdx/\b")]
    [InlineData("""{"stringValue":"\udc00"}""", "\ufffd")]
    [InlineData("""{"string\u0056alue":"escaped name"}""", "escaped name")]
    [InlineData("""{"intValue":7}""", "7")]
    [InlineData("""{"intValue":"-9223372036854775808"}""", "-9223372036854775808")]
    [InlineData("""{"intValue":1e3}""", "1000")]
    [InlineData("""{"doubleValue":"Infinity"}""", "\"Infinity\"")]
    [InlineData("""{"doubleValue":"0.5"}""", "0.5")]
    [InlineData("""{"doubleValue":1}""", "1.0")]
    [InlineData("""{"bytesValue":"_-8"}""", "\"/+8=\"")]
    [InlineData("""{"arrayValue":{}}""", "[]")]
    [InlineData("""{"arrayValue":{"values":null}}""", "[]")]
    [InlineData(
        """{"kvlistValue":{"values":[{"value":{"kvlistValue":{"values":[{"value":{"intValue":1},"new":[[]],"key":"b"}]}},"key":"a\n"}]}}""",
        """{"a\n":{"b":1}}"""
    )]
    [InlineData("""{"stringValue":null,"boolValue":false}""", "false")]
    [InlineData("""{"new":[{}]}""", "")]
    [InlineData("null", "")]
    public void AValueIsReadAsItMayBeWritten(string body, string expected) =>
        Assert.Equal(expected, Assert.Single(Decode(Record($$"""{"timeUnixNano":1,"body":{{body}}}""")).Lines).Body);

    [Fact]
    public void TheResourceAndTheScopeMayStandBehindTheirRecords()
    {
        var lines = Decode(
            """{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"5","observedTimeUnixNano":6}],"scope":{"name":"S"}}],"resource":{"attributes":[{"value":{"stringValue":"late"},"key":"service.name"}]}}]}"""u8.ToArray()
        ).Lines;
        Assert.Equal(
            [
                new()
                {
                    Time = 5,
                    Observed = 6,
                    Service = "late",
                    Attributes = """{"otel.scope.name":"S"}""",
                },
            ],
            lines
        );
    }

    [Theory]
    [InlineData("""{"traceId":"5B8EFFF798038103D269B633813FC60C"}""", "5b8efff798038103d269b633813fc60c")]
    [InlineData("""{"traceId":"5b8EFFF798038103D269B633813FC60C"}""", "5b8efff798038103d269b633813fc60c")]
    [InlineData("""{"traceId":"5b8e"}""", "")]
    [InlineData("""{"traceId":"zz8efff798038103d269b633813fc60c"}""", "")]
    [InlineData("""{"traceId":"00000000000000000000000000000000"}""", "")]
    [InlineData("""{"traceId":null}""", "")]
    [InlineData("""{"trace_id":"5b8efff798038103d269b633813fc60c"}""", "")]
    public void AnIdIsHexInAnyCase(string record, string expected) =>
        Assert.Equal(expected, Assert.Single(Decode(Record(record)).Lines).TraceId);

    [Theory]
    [InlineData("""[]""", "\"the request\" is an object")]
    [InlineData("""{"resourceLogs":{}}""", "\"resourceLogs\" is a list")]
    [InlineData("""{"resourceLogs":[1]}""", "\"resourceLogs\" is a list of objects")]
    [InlineData("""{"resourceLogs":[{"resource":1}]}""", "\"resource\" is an object")]
    [InlineData(
        """{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":-1}]}]}]}""",
        "\"timeUnixNano\" is a whole number from 0, as a text or a number"
    )]
    [InlineData(
        """{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"severityNumber":"INFO"}]}]}]}""",
        "\"severityNumber\" is a whole number, as a text or a number"
    )]
    [InlineData(
        """{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":"text"}]}]}]}""",
        "\"body\" is an object such as {\"stringValue\": \"…\"}"
    )]
    [InlineData(
        """{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"intValue":1.5}}]}]}]}""",
        "\"intValue\" is a whole number, as a text or a number"
    )]
    [InlineData("""{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"bytesValue":"*"}}]}]}]}""", "\"bytesValue\" is base64")]
    [InlineData("""{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":{"a":1}}]}]}]}""", "\"attributes\" is a list")]
    public void WhatIsOfTheWrongKindIsRefusedWithWhatIsRight(string request, string fault) =>
        Assert.Equal(
            $"This is no OTLP request: {fault}.",
            Assert.Throws<OtlpException>(() => Decode(Encoding.UTF8.GetBytes(request))).Message
        );

    [Theory]
    [InlineData("""{"resourceLogs":[""", "it is no JSON from line 1, column 18 on")]
    [InlineData("""{} {}""", "it is no JSON from line 1, column 4 on")]
    [InlineData("\n\u0001", "it is no JSON from line 2, column 1 on")]
    public void WhatIsNoJsonIsRefusedWithItsPlace(string request, string fault) =>
        Assert.StartsWith(
            $"This is no OTLP request: {fault}",
            Assert.Throws<OtlpException>(() => Decode(Encoding.UTF8.GetBytes(request))).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"resourceLogs":[]}""")]
    [InlineData("""{"resourceLogs":null,"new":{"a":[1,{}]}}""")]
    public void AnEmptyRequestHoldsNothing(string request) => Assert.Equal(0, Decode(Encoding.UTF8.GetBytes(request)).Decoded.Received);

    [Theory]
    [InlineData(64, 0)]
    [InlineData(65, 1)]
    [InlineData(10_000, 1)]
    public void ARecordThatNestsTooDeepIsRefusedAndItsNeighboursAreTaken(int depth, int refused)
    {
        var deep =
            string.Concat(Enumerable.Repeat("""{"arrayValue":{"values":[""", depth))
            + """{"intValue":1}"""
            + string.Concat(Enumerable.Repeat("]}}", depth));
        foreach (var bad in new[] { $$"""{"body":{{deep}}}""", $$"""{"attributes":[{"value":{{deep}},"key":"k"}]}""" })
        {
            var (lines, decoded) = Decode(Record("""{"body":{"stringValue":"good"}},""" + bad + """,{"body":{"stringValue":"good"}}"""));
            Assert.Equal((3, refused, 3 - refused), (decoded.Received, decoded.Refused, lines.Count));
            Assert.Equal(("good", "good"), (lines[0].Body, lines[^1].Body));
        }
    }

    [Fact]
    public void ALargeRecordIsRefusedAndItsNeighboursAreTaken()
    {
        var (lines, decoded) = Decode(
            Record(
                """{"body":{"stringValue":"a"}},{"body":{"stringValue":" """.Trim()
                    + new string('x', 2_000_000)
                    + """ "}},{"body":{"stringValue":"b"}}""".Trim()
            )
        );
        Assert.Equal(["a", "b"], lines.Select(line => line.Body));
        Assert.Equal([new DecodeFault(2, "too-large", "Record 2 has 2000010 bytes; 1048576 are the most.")], decoded.Faults);
    }

    [Fact]
    public void MutatedRequestsAreDecodedOrRefusedAndNothingElse()
    {
        var random = new Random(20261123);
        for (var seed = 0; seed < 300; seed++)
        {
            var whole = OtlpJson.Encode(new OtlpRandom(seed).Request());
            for (var turn = 0; turn < 30; turn++)
            {
                var bytes = whole.ToArray();
                for (var change = random.Next(1, 4); change > 0; change--)
                {
                    bytes[random.Next(bytes.Length)] =
                        random.Next(3) == 0 ? (byte)random.Next(256) : (byte)"{}[]\":,\\u0nt"[random.Next(12)];
                }

                try
                {
                    var (lines, decoded) = Decode(bytes[..(random.Next(5) == 0 ? random.Next(bytes.Length) : bytes.Length)]);
                    Assert.Equal(decoded.Received, lines.Count + decoded.Refused);
                }
                catch (OtlpException)
                {
                    continue;
                }
            }
        }
    }

    private static byte[] Record(string records) =>
        Encoding.UTF8.GetBytes($$"""{"resourceLogs":[{"scopeLogs":[{"logRecords":[{{records}}]}]}]}""");

    private static (IReadOnlyList<LogLine> Lines, Decoded Decoded) Decode(byte[] request)
    {
        using var builder = new LogBlockBuilder();
        using var decoder = new OtlpDecoder(1 << 20);
        var decoded = decoder.DecodeJson(request, Now, builder);
        var block = builder.Build();
        Assert.True(System.Text.Unicode.Utf8.IsValid(block.Heap));
        return (LogLine.Of(block), decoded);
    }
}
