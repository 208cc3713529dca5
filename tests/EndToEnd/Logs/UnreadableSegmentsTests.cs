using System.Net;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// Whoever asks a silo with a damaged segment is answered with what the others hold, and told what is missing, by every way to ask.
/// </summary>
public sealed class UnreadableSegmentsTests : IDisposable
{
    private const ulong Noon = 1_763_812_800_000_000_000; // 2025-11-22T12:00:00Z

    private readonly SiloPlace _place = new();
    private readonly LogDoor _door;

    public UnreadableSegmentsTests() => _door = new(_place);

    public void Dispose()
    {
        _door.Dispose();
        _place.Dispose();
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("truncated")]
    [InlineData("garbage")]
    public async Task ADamagedSegmentHidesNoOtherAndIsNamedByEveryWayToAsk(string damage)
    {
        await using var silo = await SiloProcess.StartReady(_place, "--Logs:Shards", "2");
        await _door.Send("first", Noon, "one");
        var before = Files();
        await _door.Send("second", Noon + 1_000_000_000, "two");
        var damaged = Assert.Single(Files().Except(before));
        await _door.Send("third", Noon + 2_000_000_000, "three");
        Damage(damaged, damage);
        var name = Path.GetFileName(damaged);

        var (status, lines) = await _door.Ask(HttpMethod.Get, "/api/logs?order=oldest");
        Assert.Equal(HttpStatusCode.OK, status);
        var answered = lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToArray();
        Assert.Equal(["one", "three"], answered[..^1].Select(record => record.GetProperty("body").GetString()!));
        Assert.Equal(("partial", 1), (answered[^1].GetProperty("stopped").GetString(), answered[^1].GetProperty("unreadable").GetInt32()));
        IsNamed(answered[^1], name);

        var sql = await Asked(HttpMethod.Post, "/api/logs/sql", """{"sql":"select body from logs order by body"}""");
        Assert.Equal(["one", "three"], sql.GetProperty("rows").EnumerateArray().Select(row => row[0].GetString()!));
        Assert.Equal("partial", sql.GetProperty("end").GetProperty("outcome").GetString());
        IsNamed(sql.GetProperty("end"), name);

        var stats = await Asked(HttpMethod.Get, "/api/logs/stats?since=2025-11-22T12:00:00Z&until=2025-11-22T12:01:00Z");
        Assert.Equal(2, stats.GetProperty("records").GetInt64());
        IsNamed(stats.GetProperty("end"), name);

        foreach (
            var verb in (string[][])
                [
                    ["query"],
                    ["sql", "select count(*) from logs"],
                    ["stats", "--since", "2025-11-22"],
                ]
        )
        {
            var console = await _door.Run(verb);
            Assert.Equal(1, console.Code);
            Assert.Contains(name, console.Error, StringComparison.Ordinal);
            Assert.DoesNotContain(_place.Folder, console.Error, StringComparison.Ordinal);
            Assert.NotEmpty(console.Output);
        }

        if (damage != "garbage")
        {
            // A content that is damaged shows when it is read or merged; a file's size when the shard looks at it.
            var ledger = await Asked(HttpMethod.Get, "/api/logs/ledger?since=2025-11-22");
            Assert.Equal(3, ledger.GetProperty("counts").EnumerateArray().Sum(count => count.GetProperty("stored").GetInt64()));
            IsNamed(ledger, name);
            var console = await _door.Run("ledger");
            Assert.Equal(1, console.Code);
            Assert.Contains(name, console.Error, StringComparison.Ordinal);
        }

        var (_, metrics) = await _door.Ask(HttpMethod.Get, "/metrics");
        Assert.Contains(metrics.Split('\n'), line =>
            line.StartsWith("logs_segments_unreadable", StringComparison.Ordinal) && line.Contains(" 1", StringComparison.Ordinal)
        );
        Assert.Equal(HttpStatusCode.OK, (await _door.Ask(HttpMethod.Get, "/health/ready")).Status);
    }

    private async Task<JsonElement> Asked(HttpMethod method, string path, string? json = null)
    {
        var (status, answer) = await _door.Ask(method, path, json);
        Assert.True(status == HttpStatusCode.OK, answer);
        return JsonElement.Parse(answer);
    }

    private void IsNamed(JsonElement end, string name)
    {
        Assert.Equal(1, end.GetProperty("unreadable").GetInt32());
        Assert.EndsWith(name, Assert.Single(end.GetProperty("unreadableSegments").EnumerateArray()).GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_place.Folder, end.GetRawText(), StringComparison.Ordinal);
    }

    private string[] Files() =>
        Directory.Exists(_place.Data) ? Directory.GetFiles(_place.Data, "*.parquet", SearchOption.AllDirectories) : [];

    private static void Damage(string file, string damage)
    {
        var content = File.ReadAllBytes(file);
        switch (damage)
        {
            case "missing":
                File.Delete(file);
                break;
            case "truncated":
                File.WriteAllBytes(file, content[..(content.Length / 2)]);
                break;
            default:
                new Random(1).NextBytes(content);
                File.WriteAllBytes(file, content);
                break;
        }
    }
}
