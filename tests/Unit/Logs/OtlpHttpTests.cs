using System.Net;
using System.Text;
using Doubles.Logs;
using Doubles.Storage;
using Grains.Interfaces.Keys;
using Grains.Logs.Intake;
using Unit.Silo;
using Xunit;

namespace Unit.Logs;

public sealed class OtlpHttpTests
{
    private const string Path = "/v1/logs";
    private const string Protobuf = "application/x-protobuf";
    private const string Json = "application/json";

    private static readonly OtlpRequest Two = OtlpRequest.Of(
        "checkout",
        new OtlpRecord
        {
            Time = 1,
            Observed = 2,
            Body = new OtlpString("one"),
        },
        new OtlpRecord
        {
            Time = 3,
            Observed = 4,
            Body = new OtlpString("two"),
        }
    );
    private static readonly LogLine[] TwoLines =
    [
        new()
        {
            Time = 1,
            Observed = 2,
            Service = "checkout",
            Body = "one",
        },
        new()
        {
            Time = 3,
            Observed = 4,
            Service = "checkout",
            Body = "two",
        },
    ];

    [Theory]
    [InlineData(Protobuf, false)]
    [InlineData(Protobuf, true)]
    [InlineData(Json, false)]
    [InlineData("application/json; charset=utf-8", true)]
    public async Task WhatIsStoredIsAnsweredEmptyInTheKindThatItCameIn(string type, bool gzip)
    {
        await using var doors = await LogDoorsInMemory.Open();

        var answer = await doors.Post(Path, type == Protobuf ? OtlpProto.Encode(Two) : OtlpJson.Encode(Two), type, gzip);

        Assert.Equal(
            (200, type.Split(';')[0], type == Protobuf ? "" : "{}"),
            (answer.Status, answer.Type, Encoding.UTF8.GetString(answer.Body))
        );
        Assert.Equal(TwoLines, doors.Intake.Lines);
        Assert.Equal(0, doors.Intake.Admission.Held);
    }

    [Fact]
    public async Task AnEmptyRequestSucceeds()
    {
        await using var doors = await LogDoorsInMemory.Open();
        Assert.Equal((200, 0), (await doors.Post(Path, [], Protobuf)) is var answer ? (answer.Status, answer.Body.Length) : default);
        Assert.Equal(200, (await doors.Post(Path, "{}"u8.ToArray(), Json)).Status);
    }

    [Fact]
    public async Task RefusedRecordsAreCountedInAPartialSuccess()
    {
        await using var doors = await LogDoorsInMemory.Open(new() { MaxRecordBytes = 1024 });
        var request = OtlpRequest.Of(
            "s",
            new OtlpRecord { Time = 1, Body = new OtlpString(new string('x', 2000)) },
            new OtlpRecord { Time = 1, Body = new OtlpString("good") }
        );

        var proto = await doors.Post(Path, OtlpProto.Encode(request), Protobuf);
        var json = await doors.Post(Path, OtlpJson.Encode(request), Json);

        Assert.Equal(200, proto.Status);
        Assert.Equal(
            new ProtoBytes().Message(1, new ProtoBytes().Number(1, 1).Text(2, "Record 1 has 2015 bytes; 1024 are the most.")).ToArray(),
            proto.Body
        );
        Assert.StartsWith(
            """{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"Record 1 has """,
            Encoding.UTF8.GetString(json.Body),
            StringComparison.Ordinal
        );
        Assert.Equal(["good", "good"], doors.Intake.Lines.Select(line => line.Body));
    }

    [Theory]
    [InlineData(Protobuf)]
    [InlineData(Json)]
    public async Task BadDataIs400WithAStatusInTheSameKind(string type)
    {
        await using var doors = await LogDoorsInMemory.Open();

        var answer = await doors.Post(Path, [0x0a], type);

        Assert.Equal((400, type), (answer.Status, answer.Type));
        Assert.Equal(
            type == Protobuf
                ? StatusOf(3, "This is no OTLP request: a number is cut off.")
                : """{"code":3,"message":"This is no OTLP request: it is no JSON from line 2, column 1 on"""u8.ToArray(),
            type == Protobuf
                ? answer.Body
                : answer.Body[.."""{"code":3,"message":"This is no OTLP request: it is no JSON from line 2, column 1 on""".Length]
        );
        Assert.Null(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task AnotherKindOrCompressionIs415()
    {
        await using var doors = await LogDoorsInMemory.Open();

        var text = await doors.Post(Path, "x"u8.ToArray(), "text/plain");
        Assert.Equal(
            (415, Json, """{"code":3,"message":"OTLP comes as application/x-protobuf or application/json; this is text/plain."}"""),
            (text.Status, text.Type, Encoding.UTF8.GetString(text.Body))
        );
        Assert.Equal(415, (await doors.Post(Path, [], null)).Status);
        using var brotli = new ByteArrayContent([]) { Headers = { { "Content-Type", Protobuf }, { "Content-Encoding", "br" } } };
        var answer = await doors.Send(Path, brotli);
        Assert.Equal((415, Protobuf, "gzip"), (answer.Status, answer.Type, string.Join(' ', answer.Headers.GetValues("Accept-Encoding"))));
    }

    [Fact]
    public async Task MoreThanARequestMayHaveIs413HoweverItComes()
    {
        await using var doors = await LogDoorsInMemory.Open(new() { MaxRequestBytes = 64 * 1024 });
        var large = new byte[64 * 1024 + 1];

        Assert.Equal(413, (await doors.Post(Path, large, Protobuf)).Status);
        Assert.Equal(413, (await doors.Post(Path, new byte[5_000_000], Protobuf)).Status);
        using var chunked = new StreamContent(new Trickle(large, 1000)) { Headers = { { "Content-Type", Protobuf } } };
        Assert.Equal((413, Protobuf), await doors.Send(Path, chunked) is var answer ? (answer.Status, answer.Type) : default);
        var bomb = await doors.Post(Path, new byte[50_000_000], Protobuf, gzip: true);
        Assert.Equal(413, bomb.Status);
        Assert.Equal(
            StatusOf(8, "A request has 65536 bytes at most, after decompression (Logs:MaxRequestBytes); send it in parts."),
            bomb.Body
        );
        Assert.Equal(0, doors.Intake.Admission.Held);
    }

    [Fact]
    public async Task ALargeRequestThatFitsIsTaken()
    {
        await using var doors = await LogDoorsInMemory.Open();
        var request = OtlpRequest.Of(
            "s",
            [
                .. Enumerable
                    .Range(0, 40)
                    .Select(number => new OtlpRecord { Time = 1, Body = new OtlpString(new string((char)('a' + (number % 26)), 500_000)) }),
            ]
        );
        Assert.Equal(200, (await doors.Post(Path, OtlpProto.Encode(request), Protobuf)).Status);
        Assert.Equal(200, (await doors.Post(Path, OtlpProto.Encode(request), Protobuf, gzip: true)).Status);
        using var chunked = new StreamContent(new Trickle(OtlpProto.Encode(request), 100_000))
        {
            Headers = { { "Content-Type", Protobuf } },
        };
        Assert.Equal(200, (await doors.Send(Path, chunked)).Status);
        Assert.Equal(120, doors.Intake.Lines.Count());
    }

    [Theory]
    [InlineData(IntakeReply.Full, 429)]
    [InlineData(IntakeReply.Unavailable, 503)]
    public async Task WhatCannotBeTakenNowIsToldToComeAgainInASecond(IntakeReply reply, int status)
    {
        await using var doors = await LogDoorsInMemory.Open();
        doors.Intake.AnswerNext(reply);

        var answer = await doors.Post(Path, OtlpProto.Encode(Two), Protobuf);

        Assert.Equal((status, Protobuf, TimeSpan.FromSeconds(1)), (answer.Status, answer.Type, answer.Headers.RetryAfter?.Delta));
        Assert.Equal(new byte[] { 0x08, 14 }, answer.Body[..2]);
        Assert.Equal(0, doors.Intake.Admission.Held);
    }

    [Fact]
    public async Task WithoutRoomItIsTurnedAwayBeforeItIsRead()
    {
        var intake = new LogIntakeInMemory(maxBytes: 1000);
        await using var doors = await LogDoorsInMemory.Open(intake: intake);
        using var held = intake.Admit(990);

        await using var client = await doors.Network.Connect(
            new(IPAddress.Loopback, doors.Http.BaseAddress!.Port),
            TestContext.Current.CancellationToken
        );
        await client.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST {Path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {Protobuf}\r\nContent-Length: 1000000\r\n\r\n"
            ),
            TestContext.Current.CancellationToken
        );
        using var reader = new StreamReader(client);
        var head = new List<string>();
        for (string? line; (line = await reader.ReadLineAsync(TestContext.Current.CancellationToken)) is { Length: > 0 }; )
        {
            head.Add(line);
        }

        Assert.Equal("HTTP/1.1 429 Too Many Requests", head[0]);
        Assert.Contains("Retry-After: 1", head);
        Assert.Equal(1, intake.Admission.TurnedAway);
    }

    [Fact]
    public async Task WhatGrowsBeyondTheRoomWhileItIsInflatedIsTurnedAway()
    {
        var intake = new LogIntakeInMemory(maxBytes: 1_000_000);
        await using var doors = await LogDoorsInMemory.Open(intake: intake);
        using var held = intake.Admit(500_000);

        var answer = await doors.Post(Path, new byte[5_000_000], Protobuf, gzip: true);

        Assert.Equal(429, answer.Status);
        Assert.Equal(500_000, intake.Admission.Held);
    }

    [Fact]
    public async Task WhatIsNoGzipIsBadData()
    {
        await using var doors = await LogDoorsInMemory.Open();
        foreach (var body in new[] { OtlpProto.Encode(Two), LogDoorsInMemory.Gzip(OtlpProto.Encode(Two))[..^6] })
        {
            using var content = new ByteArrayContent(body) { Headers = { { "Content-Type", Protobuf }, { "Content-Encoding", "gzip" } } };
            Assert.Equal(400, (await doors.Send(Path, content)).Status);
        }
    }

    [Fact]
    public async Task TheSameBytesHaveOneHashWhateverTheirCompressionAndEachRequestIsATransmissionOfItsOwn()
    {
        await using var doors = await LogDoorsInMemory.Open();
        await doors.Post(Path, OtlpProto.Encode(Two), Protobuf);
        await doors.Post(Path, OtlpProto.Encode(Two), Protobuf, gzip: true);
        var untimed = OtlpProto.Encode(OtlpRequest.Of("s", new OtlpRecord { Body = new OtlpString("b") }));
        await doors.Post(Path, untimed, Protobuf, headers: ("Idempotency-Key", "k"));
        await doors.Post(Path, OtlpProto.Encode(Two), Protobuf, headers: ("Idempotency-Key", "k"));

        var ids = doors.Intake.Stored.Select(one => one.Id).ToArray();

        Assert.Equal((ids[0].High, ids[0].Low), (ids[1].High, ids[1].Low));
        Assert.NotEqual(ids[0].Attempt, ids[1].Attempt);
        Assert.All(ids[..2], id => Assert.True(id.IsOfBytes));
        Assert.Equal(ids[2], ids[3]);
        Assert.False(ids[2].IsOfBytes);
        Assert.Empty(doors.Intake.LostAnswers);
    }

    [Fact]
    public async Task TheSameBytesOfAnotherCallerAreAnotherRequest()
    {
        var store = new TableStoreInMemory();
        var (one, other) = (await DoorsInMemory.Key(store, "one", ApiRole.Writer), await DoorsInMemory.Key(store, "other", ApiRole.Writer));
        await using var doors = await LogDoorsInMemory.Open(store: store);

        await doors.Post(Path, OtlpProto.Encode(Two), Protobuf, key: one);
        await doors.Post(Path, OtlpProto.Encode(Two), Protobuf, key: other);

        Assert.Equal(2, doors.Intake.Stored.Select(stored => stored.Id).Distinct().Count());
    }

    [Fact]
    public async Task TheChainTellsItsRefusalsAsStatusesToo()
    {
        var store = new TableStoreInMemory();
        var reader = await DoorsInMemory.Key(store, "reports", ApiRole.Reader);
        await using var doors = await LogDoorsInMemory.Open(store: store);

        var unknown = await doors.Post(Path, OtlpProto.Encode(Two), Protobuf);
        var forbidden = await doors.Post(Path, OtlpJson.Encode(Two), Json, key: reader);

        Assert.Equal((401, Protobuf), (unknown.Status, unknown.Type));
        Assert.Equal(new byte[] { 0x08, 16 }, unknown.Body[..2]);
        Assert.Equal(
            (403, Json, """{"code":7,"message":"The key \"reports\" is for a reader, and this is for a writer."}"""),
            (forbidden.Status, forbidden.Type, Encoding.UTF8.GetString(forbidden.Body))
        );
    }

    [Fact]
    public async Task RequestsASecondAreNotItsLimit()
    {
        // The doors here let one key make a request in a thousand seconds.
        await using var doors = await LogDoorsInMemory.Open();
        for (var request = 0; request < 5; request++)
        {
            Assert.Equal(200, (await doors.Post(Path, OtlpProto.Encode(Two), Protobuf)).Status);
        }
    }

    private static byte[] StatusOf(int code, string message) => new ProtoBytes().Number(1, (ulong)code).Text(2, message).ToArray();

    /// <summary>Gives a few bytes at a time, of a length that it does not tell.</summary>
    internal sealed class Trickle(byte[] bytes, int atOnce) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            return ValueTask.FromResult(Read(buffer.Span[..Math.Min(atOnce, buffer.Length)]));
        }
    }
}
