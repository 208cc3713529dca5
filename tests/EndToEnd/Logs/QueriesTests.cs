using System.Globalization;
using System.Net;
using System.Text.Json;
using Doubles.Logs;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>What was acknowledged is found by the next question, by every way to ask, and counted as it is; rules change what becomes of the next record.</summary>
public sealed class QueriesTests : IDisposable
{
    private const ulong Noon = 1_763_812_800_000_000_000; // 2025-11-22T12:00:00Z

    private static readonly TimeSpan FirstStart = TimeSpan.FromSeconds(60);

    private readonly SiloPlace _place = new();
    private readonly LogDoor _door;

    public QueriesTests() => _door = new(_place);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _door.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task WhatWasAcknowledgedIsFoundByTheNextQuestionWithEveryField()
    {
        await using var silo = await SiloProcess.StartReady(_place, FirstStart);
        for (var round = 1; round <= 20; round++)
        {
            await _door.Send("fresh", Noon, string.Create(CultureInfo.InvariantCulture, $"round {round}!"));
            Assert.Single(await _door.Find(string.Create(CultureInfo.InvariantCulture, $"service:fresh \"round {round}!\"")));
            Assert.Equal(round, await _door.Count("fresh"));
        }

        byte[] trace = [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];
        await _door.Send(new OtlpRequest(new OtlpResourceLogs(
            new([new("service.name", new OtlpString("shop")), new("host.name", new OtlpString("web-1"))]),
            [new(null, [
                new() { Time = Noon + 123_456_789, Observed = Noon + 2_000_000_000, Severity = 17, SeverityText = "Error", Body = new OtlpString("grüße \"👋\"\n"), TraceId = [.. trace], SpanId = [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 2, 0xb7], Attributes = [new("user.id", new OtlpInt(42)), new("tags", new OtlpArray(new OtlpString("a"), new OtlpBool(true)))] },
                new() { Time = Noon + 1_000_000_000, Observed = Noon + 2_000_000_000, Body = new OtlpString("plain") },
            ])])));
        const string First = """{"time":"2025-11-22T12:00:00.123456789Z","observed":"2025-11-22T12:00:02.000000000Z","severity":17,"severityText":"Error","service":"shop","host":"web-1","body":"grüße \"👋\"\n","attributes":{"user.id":42,"tags":["a",true]},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}""";
        const string Second = """{"time":"2025-11-22T12:00:01.000000000Z","observed":"2025-11-22T12:00:02.000000000Z","severity":0,"severityText":null,"service":"shop","host":"web-1","body":"plain","attributes":{},"traceId":null,"spanId":null}""";

        Assert.Equal((0, First + "\n" + Second + "\n"), await Query("service:shop", "--oldest-first"));
        Assert.Equal((0, Second + "\n" + First + "\n"), await Query("service:shop"));
        Assert.Equal((0, Second + "\n"), await Query("service:shop", "--limit", "1"));
        Assert.Equal((0, First + "\n"), await Query("trace:4BF92F3577B34DA6A3CE929D0E0E4736"));
        Assert.Equal((0, First + "\n"), await Query("service:shop severity>=warn grüße user.id:42", "--until", "2025-11-22T12:00:01Z"));
        Assert.Equal((0, Second + "\n"), await Query("service:shop", "--since", "2025-11-22T12:00:01Z"));
        Assert.Equal((0, ""), await Query("service:shop", "--since", "15m"));
        var (status, answer) = await _door.Ask(HttpMethod.Get, "/api/logs?query=service:shop&order=oldest");
        Assert.Equal((HttpStatusCode.OK, First + "\n" + Second + "\n"), (status, Written(answer)));
        Assert.Equal((HttpStatusCode.OK, Second + "\n"), await _door.Ask(HttpMethod.Get, "/api/logs?query=service:shop&limit=1&since=2025-11-22"));
    }

    [Fact]
    public async Task AWrongQuestionIsToldWhereAndEndsWithTheCodeForIt()
    {
        await using var silo = await SiloProcess.StartReady(_place, FirstStart);

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
        Assert.Equal(HttpStatusCode.BadRequest, (await _door.Ask(HttpMethod.Post, "/api/logs/rules", """{"rule":"a => explode"}""")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await _door.Ask(HttpMethod.Delete, "/api/logs/rules/1")).Status);
        var (status, answer) = await _door.Ask(HttpMethod.Get, "/api/logs?query=" + Uri.EscapeDataString("a AND"));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("^", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StatsCountByServiceAndSeverityAndTime()
    {
        await using var silo = await SiloProcess.StartReady(_place, FirstStart);
        await _door.Send(OtlpRequest.Of("shop", [.. Enumerable.Range(0, 60).Select(second => new OtlpRecord { Time = Noon + ((ulong)second * 1_000_000_000), Severity = second < 10 ? 17 : 9, Body = new OtlpString("x") })]));
        await _door.Send("till", Noon, "a", "b");

        var (status, answer) = await _door.Ask(HttpMethod.Get, "/api/logs/stats?since=2025-11-22T12:00:00Z&until=2025-11-22T12:01:00Z&parts=6");
        Assert.Equal(HttpStatusCode.OK, status);
        var stats = JsonElement.Parse(answer);
        Assert.Equal(62, stats.GetProperty("records").GetInt64());
        Assert.Equal([12, 10, 10, 10, 10, 10], stats.GetProperty("counts").EnumerateArray().Select(count => count.GetInt32()));
        Assert.Equal(["shop 60", "till 2"], Named(stats.GetProperty("services")));
        Assert.Equal(["error 10", "info 52"], Named(stats.GetProperty("severities")).Order());

        var console = await _door.Run("stats", "service:shop", "--since", "2025-11-22T12:00:00Z", "--until", "2025-11-22T12:01:00Z");
        Assert.True(console.Code == 0, console.Error);
        Assert.Contains("shop", console.Output, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Object, JsonElement.Parse((await _door.Run("stats", "--since", "2025-11-22", "--json")).Output).ValueKind);
    }

    [Fact]
    public async Task ARuleCountsASecondLaterAndTheLedgerBalances()
    {
        await using var silo = await SiloProcess.StartReady(_place, FirstStart);
        await _door.Send("shop", Noon, "card 4111 1111 1111 1111", "noise", "mail a@b.example", "noise", "fine");

        var test = JsonElement.Parse((await _door.Run("rules", "test", "noise => drop", "--since", "99999h", "--json")).Output);
        Assert.Equal((2, 5, 2), (test.GetProperty("matching").GetInt64(), test.GetProperty("total").GetInt64(), test.GetProperty("filtered").GetInt64()));
        Assert.Equal(5, await _door.Count("shop"));
        var (tested, would) = await _door.Ask(HttpMethod.Post, "/api/logs/rules/test", """{"rule":"* => redact card, email","since":"99999h"}""");
        Assert.Equal(HttpStatusCode.OK, tested);
        Assert.Equal(2, JsonElement.Parse(would).GetProperty("changed").GetInt64());
        Assert.Contains("mail [email]", would, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.Created, (await _door.Ask(HttpMethod.Post, "/api/logs/rules", """{"rule":"* => redact card, email"}""")).Status);
        Assert.Equal(0, (await _door.Run("rules", "add", "noise => drop", "--at", "1")).Code);
        Assert.Equal(0, (await _door.Run("rules", "add", "service:loud => sample 1/s")).Code);
        Assert.Equal(0, (await _door.Run("rules", "add", "fine => route short")).Code);
        var rules = JsonElement.Parse((await _door.Ask(HttpMethod.Get, "/api/logs/rules")).Answer).GetProperty("rules");
        Assert.Equal(["noise => drop", "* => redact card, email", "service:loud => sample 1/s", "fine => route short"], rules.EnumerateArray().Select(rule => rule.GetProperty("rule").GetString()!));
        await Task.Delay(TimeSpan.FromSeconds(1), Cancel); // As long as is promised.

        await _door.Send("shop", Noon + 60_000_000_000, "card 4111 1111 1111 1111", "noise", "mail a@b.example", "noise", "fine");
        await _door.Send("loud", Noon, "x", "y", "z");
        var same = OtlpRequest.Of("twice", new OtlpRecord { Time = Noon, Body = new OtlpString("once") });
        await _door.Send(same);
        await _door.Send(same);
        Assert.Equal(
            ["card [card]", "mail [email]", "fine"],
            (await _door.Find("service:shop", "&order=oldest&since=2025-11-22T12:01:00Z")).Select(record => record.GetProperty("body").GetString()!));
        Assert.Equal(1, await _door.Count("loud"));

        // A repeat is acknowledged at once and counted by the next commit, a linger later.
        IEnumerable<string> ledger = [];
        await LogDoor.Until(
            async () => (ledger = Summed(JsonElement.Parse((await _door.Ask(HttpMethod.Get, "/api/logs/ledger")).Answer).GetProperty("counts").EnumerateArray())).Contains("twice 2 1 0 0 1"),
            () => string.Join(" | ", ledger));
        Assert.Equal(["loud 3 1 0 2 0", "shop 10 8 2 0 0", "twice 2 1 0 0 1"], ledger);
        var console = await _door.Run("ledger", "--json");
        Assert.Equal(0, console.Code);
        Assert.Equal(["loud 3 1 0 2 0", "shop 10 8 2 0 0", "twice 2 1 0 0 1"], Summed(console.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))));
        var routed = await StoredRecords.Of(_place, shards: 2, TimeSpan.FromMinutes(1), Cancel);
        Assert.Equal("short", Assert.Single(routed.Segments, segment => segment.Class != "default").Class);

        Assert.Equal(HttpStatusCode.OK, (await _door.Ask(HttpMethod.Delete, "/api/logs/rules/1")).Status);
        await Task.Delay(TimeSpan.FromSeconds(1), Cancel);
        await _door.Send("shop", Noon + 120_000_000_000, "noise");
        Assert.Equal(9, await _door.Count("shop"));
    }

    [Fact]
    public async Task WhileSegmentsAreMergedEveryQuestionCountsRight()
    {
        await using var silo = await SiloProcess.StartReady(_place, FirstStart, "--Logs:Shards", "1", "--Logs:Linger", "00:00:00.005", "--Limits:PerKey", "100000", "--Limits:InAll", "100000");
        long asked = 0, stored = 0, questions = 0;
        using var enough = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            while (!enough.IsCancellationRequested)
            {
                var number = Interlocked.Increment(ref asked);
                await _door.Send("many", Noon + ((ulong)number * 1_000_000), string.Create(CultureInfo.InvariantCulture, $"line {number}"));
                Interlocked.Exchange(ref stored, number);
            }
        }, Cancel);

        var merged = false;
        for (var rounds = 0; !merged || rounds < 40; rounds++)
        {
            Assert.True(rounds < 2000, "Nothing was merged.");
            var atLeast = Interlocked.Read(ref stored);
            var count = await _door.Count("many");
            var atMost = Interlocked.Read(ref asked);
            Assert.InRange(count, atLeast, atMost);

            atLeast = Interlocked.Read(ref stored);
            var found = (await _door.Find("service:many", "&limit=1000000&order=oldest")).Select(record => record.GetProperty("body").GetString()!).ToList();
            Assert.InRange(found.Count, atLeast, Interlocked.Read(ref asked));
            Assert.Equal(Enumerable.Range(1, found.Count).Select(number => string.Create(CultureInfo.InvariantCulture, $"line {number}")), found);
            questions += 2;
            merged = merged || (rounds % 10 == 0 && (await StoredRecords.Of(_place, shards: 1, TimeSpan.FromMinutes(1), Cancel)).Segments.Any(segment => segment.IsMerged));
        }

        await enough.CancelAsync();
        await writer;
        Assert.Equal(asked, await _door.Count("many"));
        TestContext.Current.SendDiagnosticMessage($"{questions} questions while {asked} requests came in and segments were merged.");
    }

    private async Task<(int Code, string Output)> Query(params string[] args)
    {
        var run = await _door.Run(["query", .. args, "--json"]);
        return (run.Code, Written(run.Output + run.Error));
    }

    /// <summary>The same, with every sign written as itself: JSON may write those beyond 16 bits as two escapes.</summary>
    private static string Written(string lines) => string.Concat(lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Replace("\\uD83D\\uDC4B", "👋", StringComparison.Ordinal) + "\n"));

    private static IEnumerable<string> Named(JsonElement lines) => lines.EnumerateArray().Select(line => $"{line.GetProperty("name").GetString()} {line.GetProperty("records").GetInt64()}");

    /// <summary>Service, received, stored, filtered, sampled, repeated, over all hours; each hour balances.</summary>
    private static IEnumerable<string> Summed(IEnumerable<JsonElement> counts) => counts
        .GroupBy(count => count.GetProperty("service").GetString())
        .Select(service =>
        {
            Assert.All(service, hour => Assert.True(hour.GetProperty("balances").GetBoolean()));
            return string.Join(' ', ((string[])["received", "stored", "filtered", "sampled", "repeated"]).Select(part => LogDoor.Text(service.Sum(hour => hour.GetProperty(part).GetInt64()))).Prepend(service.Key));
        })
        .Order(StringComparer.Ordinal);
}
