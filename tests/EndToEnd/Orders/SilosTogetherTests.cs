using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Doubles.Orders;
using Grains.Orders.Watch;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// Two silos of one machine on one data folder and a front before them: orders are placed and moved on at all three doors, one silo is
/// killed with <c>kill -9</c> and comes back, and those who
/// watch at the others' doors miss nothing. Each step is asked again under its key, at the next door, until it is acknowledged: that is the
/// ledger.
/// </summary>
public sealed class SilosTogetherTests : IAsyncDisposable
{
    private const int Partitions = 4;
    private const int Placers = 6;

    /// <summary>Between two orders of one who places them.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    private static readonly string[] Settings =
    [
        "--Orders:Partitions",
        $"{Partitions}",
        "--Limits:PerKey",
        "100000",
        "--Limits:InAll",
        "100000",
    ];

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly HttpClient _streams = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> _committed = new();
    private readonly List<SiloProcess> _silos = [];
    private readonly List<SiloPlace> _places = [];
    private readonly CancellationTokenSource _enough = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly SemaphoreSlim _acknowledged = new(0);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _leave.CancelAsync();
        foreach (var silo in Enumerable.Reverse(_silos))
        {
            await silo.DisposeAsync();
        }

        _http.Dispose();
        _streams.Dispose();
        _acknowledged.Dispose();
        _enough.Dispose();
        _leave.Dispose();
        _places.ForEach(place => place.Dispose());
        _place.Dispose();
    }

    [Fact]
    public async Task AllThatIsPlacedAtAnyOfThemIsSeenInOrderAtTheOthersOverAKill()
    {
        var killed = await Run(_place);
        var beside = await Run(Beside());
        var front = await Run(Beside(), "--Cluster:Role", "Front");
        await using (var client = await SilosClient.Connect(Cancel, _place.Gateway, beside.Place.Gateway))
        {
            // Partitions have their owners where they are first asked for.
            await Task.WhenAll(
                Enumerable
                    .Range(0, Partitions)
                    .Select(partition => client.Grains.GetGrain<global::Grains.Interfaces.Orders.IOrderFeedGrain>(partition).Head(Cancel))
            );
            Assert.Equal(2, (await client.Status(Cancel)).Silos.Length);
        }

        WatchRecord[] records =
        [
            new("events at the silo that stays", null, previous: true),
            new("gRPC at the silo that stays", null, previous: true),
            new("events at the front", null, previous: false),
            new("gRPC at the front", null, previous: false),
        ];
        Task[] watching =
        [
            Watch(cancel =>
                WatchStreams.Events(_streams, beside.Place.Http, records[0], OrderWatches.Start, () => Task.CompletedTask, cancel)
            ),
            Watch(cancel => WatchStreams.Grpc(beside.Place.Grpc, records[1], cancel)),
            Watch(cancel =>
                WatchStreams.Events(_streams, front.Place.Http, records[2], OrderWatches.Start, () => Task.CompletedTask, cancel)
            ),
            Watch(cancel => WatchStreams.Grpc(front.Place.Grpc, records[3], cancel)),
        ];
        IPEndPoint[] doors = [_place.Http, beside.Place.Http, front.Place.Http];
        var placing = Enumerable.Range(0, Placers).Select(placer => Task.Run(() => Place(placer, doors), Cancel)).ToList();

        await Acknowledged(100);
        await killed.Kill9();
        await Acknowledged(100);
        await Run(_place);
        await Acknowledged(100);
        await _enough.CancelAsync();
        await Wait.For(Task.WhenAll(placing), "those who place orders to end", Said);
        await All(records, watching);
        await _leave.CancelAsync();
        await Task.WhenAll(watching);

        var history = new WatchHistory(Partitions, _committed, records);
        Assert.Empty(history.Violations());
        Assert.All(records, record => Assert.Equal(_committed.Values.Sum(steps => steps.Count), record.Changes));
        await using var verify = await ConsoleProcess.Reach("orders", "audit", "verify", "--all", "--gateway", $"{beside.Place.Gateway}");
        Assert.True(await verify.Exit == 0, verify.Said);
        await using var ledger = await ConsoleProcess.Reach("ledger", "--gateway", $"{beside.Place.Gateway}");
        Assert.True(await ledger.Exit == 0, ledger.Said);
    }

    private SiloPlace Beside()
    {
        _places.Add(_place.Beside());
        return _places[^1];
    }

    private async Task<SiloProcess> Run(SiloPlace place, params string[] more)
    {
        _silos.Add(await SiloProcess.StartReady(place, [.. more.Length == 0 ? Settings : Settings[2..], .. more]));
        return _silos[^1];
    }

    private Task Watch(Func<CancellationTokenSource, Task> watch) =>
        Task.Run(() => WatchStreams.AgainAndAgain(watch, _leave.Token), Cancel);

    private async Task Acknowledged(int more)
    {
        for (var i = 0; i < more; i++)
        {
            await Wait.For(_acknowledged.WaitAsync(Cancel), "the next step to be acknowledged", Said);
        }
    }

    private Task All(WatchRecord[] records, Task[] watching)
    {
        var committed = _committed.Values.Sum(steps => steps.Count);
        return Wait.Until(
            () => records.All(record => record.Changes >= committed) || watching.Any(watch => watch.IsFaulted),
            $"all who watch to be told {committed} changes",
            () =>
                $"Told were {string.Join(", ", records.Select(record => $"{record.Changes} ({record.Name})"))}.{Environment.NewLine}{Said()}"
        );
    }

    private string Said() => string.Join(Environment.NewLine, _silos.SelectMany(silo => silo.Errors.Concat(silo.Output).TakeLast(20)));

    private async Task Place(int placer, IPEndPoint[] doors)
    {
        for (var number = 0; !_enough.IsCancellationRequested; number++)
        {
            var key = $"{placer}-{number}";
            var order = await Ask(
                "",
                key,
                """{"customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}]}""",
                doors,
                placer + number
            );
            var id = order.GetProperty("id").GetString()!;
            var statuses = new List<string> { "placed" };
            _committed[id] = [.. statuses];
            foreach (var step in (string[])["pay", "ship", "complete"])
            {
                order = await Ask($"/{id}/{step}", $"{key}-{step}", null, doors, placer + number + statuses.Count);
                statuses.Add(order.GetProperty("status").GetString()!);
                _committed[id] = [.. statuses];
            }

            await Task.Delay(Pace, Cancel);
        }
    }

    /// <summary>Asks under one key until it is acknowledged, at one door after the other.</summary>
    private async Task<JsonElement> Ask(string path, string key, string? body, IPEndPoint[] doors, int door)
    {
        var order = await OrderLoad.Ask(_http, path, key, body, doors, door);
        _acknowledged.Release();
        return order;
    }
}
