using System.Globalization;
using System.Net;
using System.Text.Json;
using Doubles.Logs;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>What was acknowledged is found by the next question, by every way to ask, and counted as it is.</summary>
public sealed class QueriesTests : IAsyncLifetime
{
    private const ulong Noon = 1_763_812_800_000_000_000; // 2025-11-22T12:00:00Z

    // 2021-11-22T12:00:00Z: statistics are of all services, so they have a time of their own.
    private const ulong NoonOfAnotherYear = 1_637_582_400_000_000_000;

    private readonly ReadySilo _silo;
    private readonly LogDoor _door;

    public QueriesTests(ReadySilo silo) => (_silo, _door) = (silo, new(silo.Place));

    public async ValueTask InitializeAsync() => await _silo.Started();

    public ValueTask DisposeAsync()
    {
        _door.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task WhatWasAcknowledgedIsFoundByTheNextQuestionWithEveryField()
    {
        for (var round = 1; round <= 20; round++)
        {
            await _door.Send("fresh", Noon, string.Create(CultureInfo.InvariantCulture, $"round {round}!"));
            Assert.Single(await _door.Find(string.Create(CultureInfo.InvariantCulture, $"service:fresh \"round {round}!\"")));
            Assert.Equal(round, await _door.Count("fresh"));
        }

        byte[] trace = [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];
        await _door.Send(
            new OtlpRequest(
                new OtlpResourceLogs(
                    new([new("service.name", new OtlpString("shop")), new("host.name", new OtlpString("web-1"))]),
                    [
                        new(
                            null,
                            [
                                new()
                                {
                                    Time = Noon + 123_456_789,
                                    Observed = Noon + 2_000_000_000,
                                    Severity = 17,
                                    SeverityText = "Error",
                                    Body = new OtlpString("grüße \"👋\"\n"),
                                    TraceId = [.. trace],
                                    SpanId = [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 2, 0xb7],
                                    Attributes =
                                    [
                                        new("user.id", new OtlpInt(42)),
                                        new("tags", new OtlpArray(new OtlpString("a"), new OtlpBool(true))),
                                    ],
                                },
                                new()
                                {
                                    Time = Noon + 1_000_000_000,
                                    Observed = Noon + 2_000_000_000,
                                    Body = new OtlpString("plain"),
                                },
                            ]
                        ),
                    ]
                )
            )
        );
        const string First =
            """{"time":"2025-11-22T12:00:00.123456789Z","observed":"2025-11-22T12:00:02.000000000Z","severity":17,"severityText":"Error","service":"shop","host":"web-1","body":"grüße \"👋\"\n","attributes":{"user.id":42,"tags":["a",true]},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}""";
        const string Second =
            """{"time":"2025-11-22T12:00:01.000000000Z","observed":"2025-11-22T12:00:02.000000000Z","severity":0,"severityText":null,"service":"shop","host":"web-1","body":"plain","attributes":{},"traceId":null,"spanId":null}""";

        Assert.Equal((0, First + "\n" + Second + "\n"), await Query("service:shop", "--oldest-first"));
        Assert.Equal((0, Second + "\n" + First + "\n"), await Query("service:shop"));
        Assert.Equal((0, Second + "\n"), await Query("service:shop", "--limit", "1"));
        Assert.Equal((0, First + "\n"), await Query("trace:4BF92F3577B34DA6A3CE929D0E0E4736"));
        Assert.Equal((0, First + "\n"), await Query("service:shop severity>=warn grüße user.id:42", "--until", "2025-11-22T12:00:01Z"));
        Assert.Equal((0, Second + "\n"), await Query("service:shop", "--since", "2025-11-22T12:00:01Z"));
        Assert.Equal((0, ""), await Query("service:shop", "--since", "15m"));
        var (status, answer) = await _door.Ask(HttpMethod.Get, "/api/logs?query=service:shop&order=oldest");
        Assert.Equal((HttpStatusCode.OK, First + "\n" + Second + "\n"), (status, Written(answer)));
        Assert.Equal(
            (HttpStatusCode.OK, Second + "\n"),
            await _door.Ask(HttpMethod.Get, "/api/logs?query=service:shop&limit=1&since=2025-11-22")
        );
    }

    [Fact]
    public async Task AWrongQuestionIsToldWhereAndEndsWithTheCodeForIt()
    {
        var wrong = await _door.Run("query", "service:shop (severity>=warn");
        Assert.Equal((2, ""), (wrong.Code, wrong.Output));
        var lines = wrong.Error.Split('\n');
        var query = Assert.Single(lines, line => line.Contains("service:shop (severity>=warn", StringComparison.Ordinal));
        var caret = Assert.Single(lines, line => line.TrimStart().StartsWith('^'));
        Assert.Equal(query.IndexOf('(', StringComparison.Ordinal), caret.IndexOf('^', StringComparison.Ordinal));
        Assert.Contains("column 14", caret, StringComparison.Ordinal);

        Assert.Equal(2, (await _door.Run("tail", "body:/(/")).Code);
        Assert.Equal(2, (await _door.Run("sql", "delete from logs")).Code);
        Assert.Equal(2, (await _door.Run("query", "x", "--since", "yesterday")).Code);
        Assert.Equal(2, (await _door.Run("rules", "add", "severity<=debug")).Code);
        Assert.Equal(HttpStatusCode.BadRequest, (await _door.Ask(HttpMethod.Get, "/api/logs?query=%28")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await _door.Ask(HttpMethod.Get, "/api/logs?limit=0")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await _door.Ask(HttpMethod.Get, "/api/logs/tail?query=%28")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await _door.Ask(HttpMethod.Post, "/api/logs/sql", """{"sql":"drop view logs"}""")).Status);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await _door.Ask(HttpMethod.Post, "/api/logs/rules", """{"rule":"a => explode"}""")).Status
        );
        Assert.Equal(HttpStatusCode.NotFound, (await _door.Ask(HttpMethod.Delete, "/api/logs/rules/1")).Status);
        var (status, answer) = await _door.Ask(HttpMethod.Get, "/api/logs?query=" + Uri.EscapeDataString("a AND"));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("^", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StatsCountByServiceAndSeverityAndTime()
    {
        await _door.Send(
            OtlpRequest.Of(
                "kiosk",
                [
                    .. Enumerable
                        .Range(0, 60)
                        .Select(second => new OtlpRecord
                        {
                            Time = NoonOfAnotherYear + ((ulong)second * 1_000_000_000),
                            Severity = second < 10 ? 17 : 9,
                            Body = new OtlpString("x"),
                        }),
                ]
            )
        );
        await _door.Send("till", NoonOfAnotherYear, "a", "b");

        var (status, answer) = await _door.Ask(
            HttpMethod.Get,
            "/api/logs/stats?since=2021-11-22T12:00:00Z&until=2021-11-22T12:01:00Z&parts=6"
        );
        Assert.Equal(HttpStatusCode.OK, status);
        var stats = JsonElement.Parse(answer);
        Assert.Equal(62, stats.GetProperty("records").GetInt64());
        Assert.Equal([12, 10, 10, 10, 10, 10], stats.GetProperty("counts").EnumerateArray().Select(count => count.GetInt32()));
        Assert.Equal(["kiosk 60", "till 2"], Named(stats.GetProperty("services")));
        Assert.Equal(["error 10", "info 52"], Named(stats.GetProperty("severities")).Order());

        var console = await _door.Run("stats", "service:kiosk", "--since", "2021-11-22T12:00:00Z", "--until", "2021-11-22T12:01:00Z");
        Assert.True(console.Code == 0, console.Error);
        Assert.Contains("kiosk", console.Output, StringComparison.Ordinal);
        Assert.Equal(
            JsonValueKind.Object,
            JsonElement.Parse((await _door.Run("stats", "--since", "2021-11-22", "--json")).Output).ValueKind
        );
    }

    private async Task<(int Code, string Output)> Query(params string[] args)
    {
        var run = await _door.Run(["query", .. args, "--json"]);
        return (run.Code, Written(run.Output + run.Error));
    }

    /// <summary>The same, with every sign written as itself: JSON may write those beyond 16 bits as two escapes.</summary>
    private static string Written(string lines) =>
        string.Concat(
            lines
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(line => !line.StartsWith("{\"end\":", StringComparison.Ordinal))
                .Select(line => line.Replace("\\uD83D\\uDC4B", "👋", StringComparison.Ordinal) + "\n")
        );

    private static IEnumerable<string> Named(JsonElement lines) =>
        lines.EnumerateArray().Select(line => $"{line.GetProperty("name").GetString()} {line.GetProperty("records").GetInt64()}");
}
