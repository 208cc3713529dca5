using System.Net;
using System.Net.Sockets;
using System.Text;
using Doubles.Logs;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>A silo that takes syslog, and as many requests as a test sends.</summary>
public sealed class PatientSilo : ReadySilo
{
    public PatientSilo()
        : this(Unique.Port()) { }

    private PatientSilo(int syslog)
        : base(["--Logs:SyslogPort", LogDoor.Text(syslog), "--Limits:PerKey", "100000", "--Limits:InAll", "100000"]) => Syslog = syslog;

    public int Syslog { get; }
}

/// <summary>
/// Senders that hold connections and bodies open and send next to nothing: others are taken all the while, and the slow ones are told.
/// </summary>
public sealed class SlowSendersTests(PatientSilo silo) : IClassFixture<PatientSilo>, IAsyncLifetime
{
    private const int Many = 100;

    private readonly SiloPlace _place = silo.Place;
    private readonly int _syslog = silo.Syslog;
    private readonly List<Socket> _sockets = [];
    private readonly LogDoor _door = new(silo.Place);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await silo.Started();

    public ValueTask DisposeAsync()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _door.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("Content-Length: 67108864\r\n", "x")]
    [InlineData("Content-Length: 67108864\r\nContent-Encoding: gzip\r\n", "\x1f")]
    [InlineData("Transfer-Encoding: chunked\r\n", "1\r\nx\r\n")]
    public async Task ManySlowBodiesTakeNoRoomFromOthersAndAreAnsweredWith408(string headers, string beginning)
    {
        var slow = new List<Task<string>>();
        for (var sender = 0; sender < Many; sender++)
        {
            slow.Add(
                Answer(
                    await Connect(
                        _place.Http.Port,
                        $"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n{headers}\r\n{beginning}"
                    )
                )
            );
        }

        for (var number = 0; number < 20; number++)
        {
            await _door.Send("fast", 1_795_000_000_000_000_000, $"{number}"); // Fails unless it is answered with 200.
        }

        Assert.All(await Wait.For(Task.WhenAll(slow), "the answers to the slow ones"), answer =>
        {
            Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
            Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task ABodyThatStallsAfterItTookNearlyAllRoomIsGivenUpForAnother()
    {
        var socket = await Connect(
            _place.Http.Port,
            "POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 67108864\r\n\r\n"
        );
        var slow = Answer(socket);
        for (var sent = 0; sent < 60; sent++)
        {
            await socket.SendAsync(new byte[1024 * 1024], Cancel);
        }

        var request = OtlpProto.Encode(
            OtlpRequest.Of("fast", new OtlpRecord { Time = 1_795_000_000_000_000_000, Body = new OtlpString(new('x', 500_000)) })
        );
        using var http = new HttpClient { Timeout = Wait.HangBound };
        await Wait.Until(
            async () =>
            {
                using var content = new ByteArrayContent(request) { Headers = { { "Content-Type", "application/x-protobuf" } } };
                using var answer = await http.PostAsync(new Uri($"http://{_place.Http}/v1/logs"), content, Cancel);
                return answer.StatusCode == HttpStatusCode.OK;
            },
            "another request to be taken"
        );
        Assert.StartsWith("HTTP/1.1 408 ", await Wait.For(slow, "the answer to the slow one"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task IdleConnectionsOfSyslogMakeRoomForTheNext()
    {
        for (var idle = 0; idle < 300; idle++)
        {
            await Connect(_syslog, "");
        }

        await Wait.Until(
            async () =>
            {
                using var next = await Connect(_syslog, "<13>1 - - next - - - here\n<13>1 - - next - - - 4000000 rows\n");
                return await _door.Count("next") > 0;
            },
            "the next connection to be read"
        );

        var record = (await _door.Find("service:next \"here\"", "&limit=1"))[0];
        Assert.Equal("127.0.0.1", record.GetProperty("host").GetString());
    }

    [Fact]
    public async Task ALineThatBeginsWithANumberSwallowsNothingThatFollows()
    {
        using var sender = await Connect(
            _syslog,
            string.Concat(
                Enumerable
                    .Range(1, 50)
                    .Select(number => $"<13>1 - h lines - - - message {number}\n")
                    .Append("4000000 rows imported\n")
                    .Append($"<13>1 - h lines - - - {new string('x', 70_000)}\n")
            )
        );
        sender.Shutdown(SocketShutdown.Send);

        await Wait.Until(
            async () =>
                await _door.Count("lines") == 51
                && await _door.Number("select count(*) from logs where body = '4000000 rows imported'") == 1,
            "all of the messages to be stored"
        );
        Assert.Equal(
            1,
            await _door.Number(
                "select count(*) from logs where service = 'lines' and length(body) > 60000 and attributes like '%log.truncated%'"
            )
        );
    }

    private async Task<Socket> Connect(int port, string bytes)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        await socket.ConnectAsync(IPAddress.Loopback, port, Cancel);
        await socket.SendAsync(Encoding.Latin1.GetBytes(bytes), Cancel);
        return socket;
    }

    /// <summary>All that is answered until the connection is closed.</summary>
    private static async Task<string> Answer(Socket socket)
    {
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var answer = new StringBuilder();
        try
        {
            for (string? line; (line = await reader.ReadLineAsync(Cancel)) is not null; )
            {
                answer.Append(line).Append("\r\n");
            }
        }
        catch (IOException) when (answer.Length > 0)
        {
            // It was closed before all of the body was read.
        }

        return answer.ToString();
    }
}
