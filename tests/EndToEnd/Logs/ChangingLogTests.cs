using System.Globalization;
using System.Net;
using System.Text.Json;
using Doubles.Logs;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>What is stored changes, by rules and by merges; every question goes on to be answered right.</summary>
public sealed class ChangingLogTests : IDisposable
{
    private const ulong Noon = 1_763_812_800_000_000_000; // 2025-11-22T12:00:00Z
    private const string Probe = "probe";

    private readonly SiloPlace _place = new();
    private readonly LogDoor _door;
    private ulong _probes;

    public ChangingLogTests() => _door = new(_place);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _door.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task ARuleCountsForWhatComesAfterItAndTheLedgerBalances()
    {
        await using var silo = await SiloProcess.StartReady(_place);
        await _door.Send("shop", Noon, "card 4111 1111 1111 1111", "noise", "mail a@b.example", "noise", "fine");

        var test = JsonElement.Parse((await _door.Run("rules", "test", "noise => drop", "--since", "99999h", "--json")).Output);
        Assert.Equal(
            (2, 5, 2),
            (test.GetProperty("matching").GetInt64(), test.GetProperty("total").GetInt64(), test.GetProperty("filtered").GetInt64())
        );
        Assert.Equal(5, await _door.Count("shop"));
        var (tested, would) = await _door.Ask(
            HttpMethod.Post,
            "/api/logs/rules/test",
            """{"rule":"* => redact card, email","since":"99999h"}"""
        );
        Assert.Equal(HttpStatusCode.OK, tested);
        Assert.Equal(2, JsonElement.Parse(would).GetProperty("changed").GetInt64());
        Assert.Contains("mail [email]", would, StringComparison.Ordinal);

        Assert.Equal(
            HttpStatusCode.Created,
            (await _door.Ask(HttpMethod.Post, "/api/logs/rules", """{"rule":"* => redact card, email"}""")).Status
        );
        Assert.Equal(0, (await _door.Run("rules", "add", "service:loud => sample 1/s")).Code);
        Assert.Equal(0, (await _door.Run("rules", "add", "fine => route short")).Code);
        Assert.Equal(0, (await _door.Run("rules", "add", "noise => drop", "--at", "1")).Code);
        var rules = JsonElement.Parse((await _door.Ask(HttpMethod.Get, "/api/logs/rules")).Answer).GetProperty("rules");
        Assert.Equal(
            ["noise => drop", "* => redact card, email", "service:loud => sample 1/s", "fine => route short"],
            rules.EnumerateArray().Select(rule => rule.GetProperty("rule").GetString()!)
        );
        await Wait.Until(async () => !await KeepsNoise(), "the last rule to count");

        await _door.Send("shop", Noon + 60_000_000_000, "card 4111 1111 1111 1111", "noise", "mail a@b.example", "noise", "fine");
        await _door.Send("loud", Noon, "x", "y", "z");
        var same = OtlpRequest.Of("twice", new OtlpRecord { Time = Noon, Body = new OtlpString("once") });
        await _door.Send(same, key: "once");
        await _door.Send(same, key: "once");
        Assert.Equal(
            ["card [card]", "mail [email]", "fine"],
            (await _door.Find("service:shop", "&order=oldest&since=2025-11-22T12:01:00Z")).Select(record =>
                record.GetProperty("body").GetString()!
            )
        );
        Assert.Equal(1, await _door.Count("loud"));

        // A repeat is acknowledged at once and counted by the next commit, a linger later.
        IEnumerable<string> ledger = [];
        await Wait.Until(
            async () =>
                (
                    ledger = Summed(
                        JsonElement
                            .Parse((await _door.Ask(HttpMethod.Get, "/api/logs/ledger")).Answer)
                            .GetProperty("counts")
                            .EnumerateArray()
                    )
                ).Contains("twice 2 1 0 0 1"),
            "the repeat to be counted",
            () => string.Join(" | ", ledger)
        );
        Assert.Equal(["loud 3 1 0 2 0", "shop 10 8 2 0 0", "twice 2 1 0 0 1"], ledger);
        var console = await _door.Run("ledger", "--json");
        Assert.Equal(0, console.Code);
        Assert.Equal(["loud 3 1 0 2 0", "shop 10 8 2 0 0", "twice 2 1 0 0 1"], Summed(console.Entries));
        var routed = await StoredRecords.Of(_place, shards: 2, Cancel);
        Assert.Equal("short", Assert.Single(routed.Segments, segment => segment.Class != "default").Class);

        Assert.Equal(HttpStatusCode.OK, (await _door.Ask(HttpMethod.Delete, "/api/logs/rules/1")).Status);
        await Wait.Until(KeepsNoise, "the rule to be gone");
        await _door.Send("shop", Noon + 120_000_000_000, "noise");
        Assert.Equal(9, await _door.Count("shop"));
    }

    [Fact]
    public async Task WhileSegmentsAreMergedEveryQuestionCountsRight()
    {
        await using var silo = await SiloProcess.StartReady(
            _place,
            "--Logs:Shards",
            "1",
            "--Logs:Linger",
            "00:00:00.005",
            "--Limits:PerKey",
            "100000",
            "--Limits:InAll",
            "100000"
        );
        long asked = 0,
            stored = 0,
            questions = 0;
        using var enough = new CancellationTokenSource();
        var writer = Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                {
                    var number = Interlocked.Increment(ref asked);
                    await _door.Send(
                        "many",
                        Noon + ((ulong)number * 1_000_000),
                        string.Create(CultureInfo.InvariantCulture, $"line {number}")
                    );
                    Interlocked.Exchange(ref stored, number);
                }
            },
            Cancel
        );

        var merged = false;
        for (var rounds = 0; !merged || rounds < 40; rounds++)
        {
            Assert.True(rounds < 2000, "Nothing was merged.");
            var atLeast = Interlocked.Read(ref stored);
            var count = await _door.Count("many");
            var atMost = Interlocked.Read(ref asked);
            Assert.InRange(count, atLeast, atMost);

            atLeast = Interlocked.Read(ref stored);
            var found = (await _door.Find("service:many", "&limit=1000000&order=oldest"))
                .Select(record => record.GetProperty("body").GetString()!)
                .ToList();
            Assert.InRange(found.Count, atLeast, Interlocked.Read(ref asked));
            Assert.Equal(
                Enumerable.Range(1, found.Count).Select(number => string.Create(CultureInfo.InvariantCulture, $"line {number}")),
                found
            );
            questions += 2;
            merged =
                merged
                || (rounds % 10 == 0 && (await StoredRecords.Of(_place, shards: 1, Cancel)).Segments.Any(segment => segment.IsMerged));
        }

        await enough.CancelAsync();
        await writer;
        Assert.Equal(asked, await _door.Count("many"));
        TestContext.Current.SendDiagnosticMessage($"{questions} questions while {asked} requests came in and segments were merged.");
    }

    /// <summary>Sends a record that a rule of the test drops; whether it was stored all the same.</summary>
    private async Task<bool> KeepsNoise()
    {
        var before = await _door.Count(Probe);
        await _door.Send(Probe, Noon + _probes++, "noise"); // Of another time: the same request again would be a repeat.
        return await _door.Count(Probe) > before;
    }

    /// <summary>
    /// Service, received, stored, filtered, sampled, repeated, over all hours, but for what was sent to see which rules count; each hour
    /// balances.
    /// </summary>
    private static IEnumerable<string> Summed(IEnumerable<JsonElement> counts) =>
        counts
            .Where(count => count.GetProperty("service").GetString() != Probe)
            .GroupBy(count => count.GetProperty("service").GetString())
            .Select(service =>
            {
                Assert.All(service, hour => Assert.True(hour.GetProperty("balances").GetBoolean()));
                return string.Join(
                    ' ',
                    ((string[])["received", "stored", "filtered", "sampled", "repeated"])
                        .Select(part => LogDoor.Text(service.Sum(hour => hour.GetProperty(part).GetInt64())))
                        .Prepend(service.Key)
                );
            })
            .Order(StringComparer.Ordinal);
}
