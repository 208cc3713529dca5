using System.Net;
using System.Text.Json;
using Silo.Launch;
using Silo.StartUp;
using Xunit;

namespace EndToEnd;

/// <summary>The endpoints of a real silo that is started as the test wants it, asked as curl does.</summary>
public sealed class DoorsTests : IDisposable
{
    private const string ProblemJson = "application/problem+json";

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new() { Timeout = Wait.HangBound };
    private readonly HttpDoor _door;

    public DoorsTests() => _door = new(_place);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _door.Dispose();
        _http.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task TooFastIsToldWhenToComeAgain()
    {
        await using var silo = await SiloProcess.StartReady(_place, "--Limits:PerKey", "0.01");

        Assert.Equal((200, "application/json"), await _door.Knock(HttpMethod.Get, "/api/crawls"));
        using var answer = await _http.GetAsync(_door.Url("/api/crawls"), Cancel);
        Assert.Equal((HttpStatusCode.TooManyRequests, ProblemJson), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 100);
        Assert.Equal((200, "text/plain"), await _door.Knock(HttpMethod.Get, "/health/ready"));
    }

    [Fact]
    public async Task BeyondLoopbackASiloStartsOnlyWithAKey()
    {
        string[] anywhere = ["--Listen:Address", "0.0.0.0"];
        await using (var refused = SiloProcess.Start(_place, anywhere))
        {
            Assert.Equal(ExitCodes.Failed, await refused.Ended());
            Assert.Equal(
                [
                    "HTTP would listen on 0.0.0.0 (Listen:Address), and there is no API key: whoever reaches it could do everything. "
                        + "Start the silo on loopback first, make a key with \"dotnet run -c Release --project Client -- keys "
                        + "add NAME --role operator\", and start it again; "
                        + "or give the first key by Keys:Bootstrap.",
                ],
                refused.Errors
            );
        }

        string key;
        await using (var silo = await SiloProcess.StartReady(_place))
        {
            key = await _door.AddKey("ops", "operator");
        }

        await using var open = await SiloProcess.StartReady(_place, anywhere);
        Assert.Equal((401, ProblemJson), await _door.Knock(HttpMethod.Get, "/api/cluster"));
        Assert.Equal((200, "application/json"), await _door.Knock(HttpMethod.Get, "/api/cluster", key));
    }

    [Fact]
    public async Task ALogForProgramsIsOneObjectALine()
    {
        await using var silo = SiloProcess.Start(_place, "--log", "json");
        await Wait.For(
            silo.Wrote(line => Messages([line]).Any(said => said.StartsWith(Banner.Ready, StringComparison.Ordinal))),
            "the silo to be ready",
            () => silo.AllSaid
        );
        Assert.Equal(ExitCodes.Stopped, await silo.Stop());

        Assert.StartsWith(Banner.Starting, Messages(silo.Output).First(), StringComparison.Ordinal);
        Assert.Equal("Stopped.", Messages(silo.Output).Last());
        var (starting, ready) = (Fields(Banner.Starting), Fields(Banner.Ready));
        Assert.Equal(
            ("dev", silo.ProcessId, $"{_place.Http}", $"{_place.Gateway}", _place.Data, 0, true),
            (
                starting.GetProperty("cluster").GetString(),
                starting.GetProperty("process").GetInt32(),
                ready.GetProperty("http").GetString(),
                ready.GetProperty("clients").GetString(),
                ready.GetProperty("data").GetString(),
                ready.GetProperty("keys").GetInt32(),
                ready.GetProperty("open").GetBoolean()
            )
        );

        JsonElement Fields(string message) =>
            Entries(silo.Output)
                .Single(entry => entry.GetProperty("message").GetString()!.StartsWith(message, StringComparison.Ordinal))
                .GetProperty("fields");

        static IEnumerable<string> Messages(IReadOnlyList<string> lines) =>
            Entries(lines).Select(entry => entry.GetProperty("message").GetString()!);

        // What Orleans warns of on a busy machine is no part of what the silo itself says, and may be written after it.
        static IEnumerable<JsonElement> Entries(IReadOnlyList<string> lines) =>
            lines.Select(line => JsonDocument.Parse(line).RootElement).Where(line => line.GetProperty("category").GetString() == "Silo");
    }
}
