using System.Globalization;
using System.Text;
using System.Text.Json;
using Doubles.Logs;
using Grains.Logs.Ndjson;
using Grains.Logs.Otlp;
using Grains.Logs.Records;
using Xunit;

namespace Unit.Logs;

public sealed class NdjsonTests
{
    private const ulong Now = 1_795_427_000_000_000_000;

    public static TheoryData<string> Lines =>
        [.. File.ReadLines(Path.Combine("Data", "logs", "lines.tsv")).Where(line => line is not ['#', ..])];

    [Theory]
    [MemberData(nameof(Lines))]
    public void ALineIsReadAsTheTableSays(string row)
    {
        var cells = row.Split('\t');
        Assert.Equal(12, cells.Length);
        Assert.Equal(
            [
                new()
                {
                    Time = Nanos(cells[1]),
                    Observed = Nanos(cells[2]),
                    Severity = int.Parse(cells[3], CultureInfo.InvariantCulture),
                    SeverityText = cells[4],
                    Service = cells[5],
                    Host = cells[6],
                    EventName = cells[7],
                    TraceId = cells[8],
                    SpanId = cells[9],
                    Body = cells[10],
                    Attributes = cells[11],
                },
            ],
            Decode(cells[0]).Lines
        );

        static ulong Nanos(string cell) => cell == "-" ? Now : ulong.Parse(cell, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void BadLinesAreToldByTheirNumbersAndTheOthersAreTaken()
    {
        var deep = new string('[', 70) + new string(']', 70);
        var (lines, decoded) = Decode(
            $$"""
            {"msg":"one"}

            {"msg":"cut
            [1]
            {"msg":"yesterday","time":"yesterday"}
            {"msg":"deep","x":{{deep}}}
            {"msg":"long{{new string('x', 2000)}}"}
            {"msg":"negative","ts":-1}
            {"msg":"two"} x
            {"msg":"two"}
            """,
            maxRecordBytes: 1000
        );

        Assert.Equal(["one", "yesterday", "deep", "negative", "two"], lines.Select(line => line.Body));
        Assert.Equal((9, 4), (decoded.Received, decoded.Refused));
        Assert.Equal(
            [
                new(3, "bad-line", "This is no JSON from column 12 on."),
                new(4, "bad-line", "This is JSON, but no object."),
                new(7, "too-large", "This has 2014 bytes; 1000 are the most."),
                new(9, "bad-line", "This is no JSON from column 15 on."),
            ],
            decoded.Faults
        );
    }

    [Fact]
    public void AValueThatLiesTooDeepIsKeptAsText()
    {
        var deep = new string('[', 70) + new string(']', 70);
        var (lines, decoded) = Decode($$$"""{"msg":"x","d":{{{deep}}},"attributes":{"e":{"f":{{{deep}}}},"g":1}}""");

        Assert.Equal(0, decoded.Refused);
        Assert.Equal($$$$"""{"d":"{{{{deep}}}}","e":"{\"f\":{{{{deep}}}}}","g":1}""", Assert.Single(lines).Attributes);
    }

    [Fact]
    public void WhatAQueryPrintsReadsBackAsTheSameRecord()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            using var builder = new LogBlockBuilder();
            using var decoder = new OtlpDecoder(new DecodeLimits(1 << 20));
            decoder.Decode(OtlpProto.Encode(new OtlpRandom(seed).Request()), Now, builder);
            var block = builder.Build();
            var lines = LogLine.Of(builder.Build());
            Assert.Equal(lines, Decode(string.Concat(lines.Select(Printed))).Lines);
        }
    }

    [Fact]
    public void MutatedLinesAreTakenOrRefusedAndNothingElse()
    {
        var rows = Lines.Select(row => Encoding.UTF8.GetBytes(((string)row.Data).Split('\t')[0])).ToArray();
        var random = new Random(7);
        for (var turn = 0; turn < 20_000; turn++)
        {
            var bytes = rows[random.Next(rows.Length)].ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)"{}[]\":,\\u0nt"[random.Next(12)];
            }

            using var builder = new LogBlockBuilder();
            using var decoder = new NdjsonDecoder(new(1 << 20), "s");
            var decoded = decoder.Decode(bytes, Now, builder);
            Assert.Equal(decoded.Received, decoded.Refused + builder.Count);
            Assert.True(System.Text.Unicode.Utf8.IsValid(builder.Build().Heap));
        }
    }

    [Fact]
    public async Task LinesAreTakenOverHttpAndBadOnesAreAnsweredByNumber()
    {
        await using var doors = await LogDoorsInMemory.Open();

        var answer = await doors.Post(
            "/api/logs?service=shop",
            "{\"msg\":\"a\"}\nno\n{\"msg\":\"b\",\"service\":\"other\"}\n"u8.ToArray(),
            "application/x-ndjson",
            gzip: true
        );

        Assert.Equal(
            (200, "application/json", """{"accepted":2,"refused":[{"line":2,"reason":"This is no JSON from column 2 on."}]}"""),
            (answer.Status, answer.Type, Encoding.UTF8.GetString(answer.Body))
        );
        Assert.Equal([("shop", "a"), ("other", "b")], doors.Intake.Lines.Select(line => (line.Service, line.Body)));
        Assert.Equal(1, Assert.Single(doors.Intake.Stored).Decoded.RefusedByReason[("shop", "bad-line")]);
    }

    [Fact]
    public async Task TwoEqualLinesAreTwoRecordsUnlessTheyAreNamed()
    {
        await using var doors = await LogDoorsInMemory.Open();
        var line = """{"msg":"a","time":"2026-11-23T09:54:47Z"}"""u8.ToArray();
        foreach (var key in new[] { "", "", "upload-1", "upload-1" })
        {
            await doors.Post("/api/logs", line, "application/json", headers: ("Idempotency-Key", key));
        }

        var ids = doors.Intake.Stored.Select(one => one.Id).ToArray();
        Assert.Equal((3, ids[2]), (ids.Distinct().Count(), ids[3]));
    }

    [Fact]
    public async Task WhatIsWrongWithARequestOfLinesIsAProblem()
    {
        await using var doors = await LogDoorsInMemory.Open(new() { MaxRequestBytes = 64 * 1024 });
        const string ProblemJson = "application/problem+json";
        Assert.Equal((415, ProblemJson), StatusOf(await doors.Post("/api/logs", [], "image/png")));
        Assert.Equal((413, ProblemJson), StatusOf(await doors.Post("/api/logs", new byte[70_000], "text/plain")));
        Assert.Equal((400, ProblemJson), StatusOf(await doors.Post("/api/logs?servce=x", [], "text/plain")));
        Assert.Equal((400, ProblemJson), StatusOf(await doors.Post($"/api/logs?service={new string('x', 300)}", [], "text/plain")));
        doors.Intake.AnswerNext(Grains.Logs.Intake.IntakeReply.Full);
        var full = await doors.Post("/api/logs", "{}"u8.ToArray(), "text/plain");
        Assert.Equal((429, ProblemJson, TimeSpan.FromSeconds(1)), (full.Status, full.Type, full.Headers.RetryAfter?.Delta));

        static (int, string?) StatusOf((int Status, string? Type, byte[], System.Net.Http.Headers.HttpResponseHeaders) answer) =>
            (answer.Status, answer.Type);
    }

    [Theory]
    [InlineData("2026-11-23T09:54:47Z", 1795427687000000000)]
    [InlineData("2026-11-23t09:54:47.5z", 1795427687500000000)]
    [InlineData("2026-11-23T09:54:47.1234567891234+00:00", 1795427687123456789)]
    [InlineData("2026-11-23T04:24:47-0530", 1795427687000000000)]
    [InlineData("2016-12-31T23:59:60Z", 1483228799000000000)]
    [InlineData("1970-01-01T00:00:00Z", 0)]
    [InlineData("1969-12-31T23:59:59Z", -1)]
    [InlineData("2555-01-01T00:00:00Z", -1)]
    [InlineData("2026-02-29T00:00:00Z", -1)]
    [InlineData("2026-11-23T09:54:47.Z", -1)]
    [InlineData("2026-11-23T24:00:00Z", -1)]
    [InlineData("2026-11-23T09:54:47+1", -1)]
    [InlineData("2026-11-23", -1)]
    public void ATimeIsReadToTheNanosecond(string text, long expected) =>
        Assert.Equal(expected, Rfc3339.TryParse(Encoding.UTF8.GetBytes(text), out var nanoseconds) ? (long)nanoseconds : -1);

    /// <summary>
    /// A record as <c>logs query --json</c> prints it: what was not said is null, attributes are always an object, times have nine digits.
    /// </summary>
    private static string Printed(LogLine line)
    {
        var members = new (string Name, string? Json)[]
        {
            ("time", Time(line.Time)),
            ("observed", Time(line.Observed)),
            ("severity", line.Severity.ToString(CultureInfo.InvariantCulture)),
            ("severityText", Text(line.SeverityText)),
            ("service", JsonSerializer.Serialize(line.Service)),
            ("host", Text(line.Host)),
            ("body", JsonSerializer.Serialize(line.Body)),
            ("attributes", line.Attributes is "" ? "{}" : line.Attributes),
            ("traceId", Text(line.TraceId)),
            ("spanId", Text(line.SpanId)),
            ("eventName", line.EventName is "" ? null : Text(line.EventName)),
        };
        return $"{{{string.Join(',', members.Where(member => member.Json is not null).Select(member => $"\"{member.Name}\":{member.Json}"))}}}\n";

        static string Text(string text) => text is "" ? "null" : JsonSerializer.Serialize(text);
        static string Time(ulong nanoseconds) =>
            FormattableString.Invariant(
                $"\"{DateTime.UnixEpoch.AddSeconds(nanoseconds / 1_000_000_000):yyyy-MM-dd'T'HH:mm:ss}.{nanoseconds % 1_000_000_000:000000000}Z\""
            );
    }

    private static (IReadOnlyList<LogLine> Lines, Decoded Decoded) Decode(string lines, int maxRecordBytes = 1 << 20)
    {
        using var builder = new LogBlockBuilder();
        using var decoder = new NdjsonDecoder(new(maxRecordBytes), "default");
        var decoded = decoder.Decode(Encoding.UTF8.GetBytes(lines), Now, builder);
        return (LogLine.Of(builder.Build()), decoded);
    }
}
