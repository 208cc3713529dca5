using Doubles.Logs;
using Doubles.Storage;
using Grains.Interfaces.Keys;
using Grains.Logs.Intake;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Compression;
using Unit.Silo;
using Xunit;

namespace Unit.Logs;

public sealed class OtlpGrpcTests
{
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

    private static readonly Method<byte[], byte[]> Export = new(
        MethodType.Unary,
        "opentelemetry.proto.collector.logs.v1.LogsService",
        "Export",
        Marshallers.Create(bytes => bytes, bytes => bytes),
        Marshallers.Create(bytes => bytes, bytes => bytes)
    );

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatIsStoredIsAnsweredEmpty(bool gzip)
    {
        await using var doors = await LogDoorsInMemory.Open(isHttp2: true);
        Assert.Empty(await Call(doors, OtlpProto.Encode(Two), gzip));
        Assert.Equal(TwoLines, doors.Intake.Lines);
        Assert.Equal(0, doors.Intake.Admission.Held);
    }

    [Fact]
    public async Task TheSameBytesOverHttpHaveTheSameHash()
    {
        var intake = new LogIntakeInMemory();
        await using var grpc = await LogDoorsInMemory.Open(intake: intake, isHttp2: true);
        await using var http = await LogDoorsInMemory.Open(intake: intake);

        await Call(grpc, OtlpProto.Encode(Two));
        await http.Post("/v1/logs", OtlpProto.Encode(Two), "application/x-protobuf");

        Assert.Single(intake.Stored.Select(one => one.Id with { Attempt = 0 }).Distinct());
    }

    [Fact]
    public async Task RefusedRecordsAreCountedInAPartialSuccess()
    {
        await using var doors = await LogDoorsInMemory.Open(new() { MaxRecordBytes = 1024 }, isHttp2: true);
        var answer = await Call(
            doors,
            OtlpProto.Encode(OtlpRequest.Of("s", new OtlpRecord { Time = 1, Body = new OtlpString(new string('x', 2000)) }))
        );
        Assert.Equal(
            new ProtoBytes().Message(1, new ProtoBytes().Number(1, 1).Text(2, "Record 1 has 2015 bytes; 1024 are the most.")).ToArray(),
            answer
        );
    }

    [Fact]
    public async Task BadDataIsInvalidArgument()
    {
        await using var doors = await LogDoorsInMemory.Open(isHttp2: true);
        var refused = await Assert.ThrowsAsync<RpcException>(() => Call(doors, [0x0a]));
        Assert.Equal(
            (StatusCode.InvalidArgument, "This is no OTLP request: a number is cut off."),
            (refused.StatusCode, refused.Status.Detail)
        );
        Assert.Null(refused.Trailers.Get("grpc-status-details-bin"));
    }

    [Fact]
    public async Task TooLargeIsResourceExhaustedAndNotToBeRetried()
    {
        await using var doors = await LogDoorsInMemory.Open(new() { MaxRequestBytes = 64 * 1024 }, isHttp2: true);
        foreach (var gzip in new[] { false, true })
        {
            var refused = await Assert.ThrowsAsync<RpcException>(() => Call(doors, new byte[2_000_000], gzip));
            Assert.Equal(
                (StatusCode.ResourceExhausted, null),
                (refused.StatusCode, refused.Trailers.GetValueBytes("grpc-status-details-bin"))
            );
        }

        Assert.Equal(0, doors.Intake.Admission.Held);
    }

    [Theory]
    [InlineData(IntakeReply.Full)]
    [InlineData(IntakeReply.Unavailable)]
    public async Task OverloadIsUnavailableWithTheTimeToWait(IntakeReply reply)
    {
        await using var doors = await LogDoorsInMemory.Open(isHttp2: true);
        doors.Intake.AnswerNext(reply);

        await Refused(doors);
    }

    [Fact]
    public async Task WithoutRoomItIsTurnedAway()
    {
        var intake = new LogIntakeInMemory(maxBytes: 1000);
        await using var doors = await LogDoorsInMemory.Open(intake: intake, isHttp2: true);
        using var held = intake.Admit(990);

        await Refused(doors);

        Assert.Equal(1, intake.Admission.TurnedAway);
    }

    [Fact]
    public async Task TheKeyComesAsMetadataAndItsRoleCounts()
    {
        var store = new TableStoreInMemory();
        var (reader, writer) = (await DoorsInMemory.Key(store, "r", ApiRole.Reader), await DoorsInMemory.Key(store, "w", ApiRole.Writer));
        await using var doors = await LogDoorsInMemory.Open(store: store, isHttp2: true);

        Assert.Equal(
            StatusCode.Unauthenticated,
            (await Assert.ThrowsAsync<RpcException>(() => Call(doors, OtlpProto.Encode(Two)))).StatusCode
        );
        Assert.Equal(
            StatusCode.PermissionDenied,
            (await Assert.ThrowsAsync<RpcException>(() => Call(doors, OtlpProto.Encode(Two), key: reader))).StatusCode
        );
        Assert.Empty(await Call(doors, OtlpProto.Encode(Two), key: writer));
    }

    [Fact]
    public async Task AMessageThatIsCutOffIsNotTaken()
    {
        await using var doors = await LogDoorsInMemory.Open(isHttp2: true);
        var message = OtlpProto.Encode(Two);
        foreach (
            var body in new byte[][]
            {
                [],
                [0, 0, 0],
                [0, 0, 0, 0, (byte)(message.Length + 1), .. message],
                [0, 0, 0, 0, (byte)message.Length, .. message, 0],
                [1, 0, 0, 0, (byte)message.Length, .. message],
            }
        )
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/opentelemetry.proto.collector.logs.v1.LogsService/Export")
            {
                Version = new(2, 0),
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(body) { Headers = { { "Content-Type", "application/grpc" } } },
            };
            using var answer = await doors.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(body is [1, ..] ? "12" : "3", Assert.Single(answer.Headers.GetValues("grpc-status")));
        }

        Assert.Empty(doors.Intake.Lines);
        Assert.Equal(0, doors.Intake.Admission.Held);
    }

    private static async Task Refused(LogDoorsInMemory doors)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => Call(doors, OtlpProto.Encode(Two)));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        var oneSecond = new ProtoBytes()
            .Text(1, "type.googleapis.com/google.rpc.RetryInfo")
            .Message(2, new ProtoBytes().Message(1, new ProtoBytes().Number(1, 1)));
        Assert.Equal(
            new ProtoBytes().Number(1, 14).Text(2, refused.Status.Detail).Message(3, oneSecond).ToArray(),
            refused.Trailers.GetValueBytes("grpc-status-details-bin")
        );
    }

    private static async Task<byte[]> Call(LogDoorsInMemory doors, byte[] message, bool gzip = false, string? key = null)
    {
        using var channel = GrpcChannel.ForAddress(
            doors.Http.BaseAddress!,
            new()
            {
                HttpHandler = doors.Network.HttpHandler(),
                DisposeHttpClient = true,
                CompressionProviders = [new GzipCompressionProvider(System.IO.Compression.CompressionLevel.Fastest)],
                MaxReceiveMessageSize = null,
            }
        );
        var headers = new Metadata();
        if (gzip)
        {
            headers.Add("grpc-internal-encoding-request", "gzip"); // How this client is told.
        }

        if (key is not null)
        {
            headers.Add("authorization", $"Bearer {key}");
        }

        return await channel
            .CreateCallInvoker()
            .AsyncUnaryCall(Export, null, new CallOptions(headers, deadline: DateTime.MaxValue), message);
    }
}
