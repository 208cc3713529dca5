using System.Globalization;
using System.Text;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Logs;

/// <summary>
/// The live tail, by server-sent events and by the console: each record once and in order; who is too slow is told so and holds up nobody.
/// </summary>
public sealed class TailTests : IDisposable
{
    private const ulong Noon = 1_763_812_800_000_000_000;

    private readonly SiloPlace _place = new();
    private readonly LogDoor _door;

    public TailTests() => _door = new(_place);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _door.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task RecordsArriveInOrderOnceAndAlsoWhileSegmentsAreMerged()
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
        await _door.Send("live", Noon, "before");
        await using var stream = await _door.Tail("service:live");
        await using var console = _door.Start("tail", "service:live", "--json");
        var watched = 0;
        await Wait.Until(
            async () =>
            {
                await _door.Send("live", Noon, string.Create(CultureInfo.InvariantCulture, $"hello {++watched}"));
                return console.Output.Count > 0;
            },
            "the console to show a record",
            () => console.Said
        );

        var merged = false;
        var sent = Enumerable.Range(1, watched).Select(number => $"hello {number}").ToList();
        var (read, all) = (0L, int.MaxValue);
        var reading = Read(stream, until: (seen, missed) =>
        {
            Volatile.Write(ref read, seen.Count + missed);
            return seen.Count + missed >= Volatile.Read(ref all);
        });
        for (var number = 1; !merged || number < 500; number++)
        {
            if (number % 50 == 0)
            {
                // However busy the machine is, the viewer is not far behind: what is merged before it looked, it would miss.
                await Wait.Until(
                    () => Volatile.Read(ref read) >= sent.Count || reading.IsCompleted,
                    $"the viewer to have {sent.Count} records",
                    () => $"It has {read}."
                );
            }

            Assert.True(number < 20_000, "Nothing was merged.");
            sent.Add($"line {number}");
            await _door.Send("live", Noon + ((ulong)number * 1_000_000), sent[^1]);
            merged =
                merged
                || (number % 200 == 0 && (await StoredRecords.Of(_place, shards: 1, Cancel)).Segments.Any(segment => segment.IsMerged));
        }

        sent.Add("the last");
        Volatile.Write(ref all, sent.Count);
        await _door.Send("live", Noon + 60_000_000_000, sent[^1]);
        var (bodies, missed) = await reading;
        Assert.Equal(sent, bodies);
        Assert.Equal(0, missed);

        // The console began in the middle: from its first record on it has the same.
        await Wait.For(console.Wrote(line => Body(line) == sent[^1]), "the console to show the last record", () => console.Said);
        var shown = console.Output.Select(Body).ToList();
        Assert.Equal(sent.SkipWhile(body => body != shown[0]), shown);
        console.Interrupt();
        Assert.Equal(0, await console.Ended());
    }

    [Fact]
    public async Task ASlowViewerIsToldHowManyItMissedAndTheOthersGetAll()
    {
        await using var silo = await SiloProcess.StartReady(_place);
        await using var slow = await _door.Tail("");
        await using var quick = await _door.Tail("service:bulk");
        const int Requests = 40;
        const int Records = 512;
        var padding = new string('x', 4000);
        var read = 0;
        var reading = Read(quick, until: (seen, _) =>
        {
            Volatile.Write(ref read, seen.Count);
            return seen.Count >= Requests * Records;
        });
        for (var request = 0; request < Requests; request++)
        {
            await _door.Send(
                "bulk",
                Noon + ((ulong)request * 1_000_000_000),
                Enumerable
                    .Range(0, Records)
                    .Select(record => string.Create(CultureInfo.InvariantCulture, $"{(request * Records) + record} {padding}"))
            );

            // Quick is who has what came before when the next comes, however busy the machine is.
            await Wait.Until(
                () => Volatile.Read(ref read) >= (request + 1) * Records || reading.IsCompleted,
                $"the quick viewer to have {(request + 1) * Records} records",
                () => $"It has {read}."
            );
        }

        var (all, missedByQuick) = await reading;
        Assert.Equal(Enumerable.Range(0, Requests * Records), all.Select(Number));
        Assert.Equal(0, missedByQuick);

        var (some, missed) = await Read(slow, until: (seen, missed) => seen.Count + missed >= Requests * Records);
        Assert.True(missed > 0, "Whoever reads nothing while 80 MB come in missed nothing.");
        Assert.Equal(Requests * Records, some.Count + missed);
        var numbers = some.Select(Number).ToList();
        Assert.Equal(numbers.Distinct().Order(), numbers);
    }

    [Fact]
    public async Task WhoeverWatchesWhileTheSiloIsKilledWatchesTheNextOne()
    {
        var silo = await SiloProcess.StartReady(_place);
        await using var console = _door.Start("tail", "service:live", "--json");
        try
        {
            var number = 0;
            await Wait.Until(
                async () =>
                {
                    await _door.Send("live", Noon + (ulong)++number, string.Create(CultureInfo.InvariantCulture, $"before {number}"));
                    return console.Output.Count > 0;
                },
                "the console to show a record",
                () => console.Said
            );
            await silo.Kill9();
            await silo.DisposeAsync();
            await Wait.For(console.Complained("The silo went away"), "the console to miss its silo", () => console.Said);

            silo = await SiloProcess.StartReady(_place);
            await Wait.For(console.Complained("Watching again"), "the console to watch again", () => console.Said);
            await _door.Send("live", Noon, "after 1", "after 2");
            await Wait.For(console.Wrote(line => Body(line) == "after 2"), "the console to show what was sent afterwards", () =>
                console.Said
            );

            var shown = console.Output.Select(Body).ToList();
            Assert.Equal(shown.Distinct(), shown);
            Assert.Equal(["after 1", "after 2"], shown[^2..]);
            Assert.Equal(number + 2, await _door.Count("live"));
        }
        finally
        {
            await silo.DisposeAsync();
        }
    }

    /// <summary>Bodies of records, and how many were missed, until it is enough.</summary>
    private static async Task<(List<string> Bodies, long Missed)> Read(Stream stream, Func<List<string>, long, bool> until)
    {
        var bodies = new List<string>();
        var missed = 0L;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        for (var name = ""; !until(bodies, missed); )
        {
            var line = await Wait.For(reader.ReadLineAsync(Cancel).AsTask(), "the tail to go on", () => $"It told {bodies.Count} records.")
                ?? throw new EndOfStreamException($"The stream ended after {bodies.Count} records.");
            if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line["event: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal) && name == "record")
            {
                bodies.Add(Body(line["data: ".Length..]));
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                Assert.Equal("missed", name);
                missed += JsonElement.Parse(line["data: ".Length..]).GetProperty("records").GetInt64();
            }
        }

        return (bodies, missed);
    }

    private static string Body(string record) => JsonElement.Parse(record).GetProperty("body").GetString()!;

    private static int Number(string body) => int.Parse(body[..body.IndexOf(' ', StringComparison.Ordinal)], CultureInfo.InvariantCulture);
}
