using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Doubles.Logs;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>A silo's log as a program meets it: requests over HTTP, and the console's verbs.</summary>
internal sealed class LogDoor(SiloPlace place) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = new($"http://{place.Http}"), Timeout = Wait.HangBound };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _http.Dispose();

    /// <summary>Hands in records by OTLP; when it returns they are acknowledged.</summary>
    /// <param name="key">Its Idempotency-Key; null: it has none.</param>
    public async Task Send(OtlpRequest request, string? key = null)
    {
        using var content = new ByteArrayContent(OtlpProto.Encode(request));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/logs", UriKind.Relative)) { Content = content };
        if (key is not null)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        using var answer = await _http.SendAsync(message, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>Records of one service, a millisecond apart from <paramref name="from"/> on.</summary>
    public Task Send(string service, ulong from, params IEnumerable<string> bodies) =>
        Send(
            OtlpRequest.Of(
                service,
                [
                    .. bodies.Select(
                        (body, at) =>
                            new OtlpRecord
                            {
                                Time = from + ((ulong)at * 1_000_000),
                                Severity = 9,
                                Body = new OtlpString(body),
                            }
                    ),
                ]
            )
        );

    /// <summary>The number that a statement gives.</summary>
    public async Task<long> Number(string sql) => (await Sql(sql)).GetProperty("rows")[0][0].GetInt64();

    public async Task<JsonElement> Sql(string sql)
    {
        var (status, answer) = await Ask(HttpMethod.Post, "/api/logs/sql", JsonSerializer.Serialize(new { sql }));
        Assert.True(status == HttpStatusCode.OK, answer);
        var reply = JsonElement.Parse(answer);
        Assert.Equal("whole", reply.GetProperty("end").GetProperty("outcome").GetString());
        return reply;
    }

    public Task<long> Count(string service) => Number($"select count(*) from logs where service = '{service}'");

    /// <summary>What <c>GET /api/logs</c> finds, a line each.</summary>
    public async Task<JsonElement[]> Find(string query, string more = "")
    {
        var (status, answer) = await Ask(HttpMethod.Get, $"/api/logs?query={Uri.EscapeDataString(query)}{more}");
        Assert.True(status == HttpStatusCode.OK, answer);
        return [.. answer.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    public async Task<(HttpStatusCode Status, string Answer)> Ask(HttpMethod method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _http.SendAsync(request, Cancel);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>The tail's stream of events; its headers are there when this returns, so what is stored from now on is shown.</summary>
    public async Task<Stream> Tail(string query)
    {
        var answer = await _http.GetAsync(
            new Uri($"/api/logs/tail?query={Uri.EscapeDataString(query)}", UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            Cancel
        );
        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        return await answer.Content.ReadAsStreamAsync(Cancel);
    }

    /// <summary>A verb of <c>logs</c>, run to its end.</summary>
    public async Task<ConsoleRun> Run(params IEnumerable<string> args)
    {
        await using var console = await ConsoleProcess.Reach(Verb(args));
        return new(
            await console.Exit,
            string.Concat(console.Output.Select(line => line + "\n")),
            string.Concat(console.Errors.Select(line => line + "\n"))
        );
    }

    public ConsoleProcess Start(params IEnumerable<string> args) => ConsoleProcess.Start(Verb(args));

    public Task<ConsoleProcess> RunWith(string input, params IEnumerable<string> args) => ConsoleProcess.RunWith(input, Verb(args));

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private IEnumerable<string> Verb(IEnumerable<string> args) => ["logs", .. args, "--gateway", place.Gateway.ToString()];
}
