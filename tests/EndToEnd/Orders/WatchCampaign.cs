using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Doubles.Orders;
using Grains.Orders.Watch;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>One campaign of faults under load, recorded.</summary>
public sealed class WatchCampaign : IAsyncLifetime
{
    private const int Partitions = 4;
    private const int Placers = 6;
    private const int ChangesInRound = 60;
    private const string FromNow = "events from now";

    /// <summary>How long a process stands still: the fault itself, nothing is waited for.</summary>
    private static readonly TimeSpan Standstill = TimeSpan.FromSeconds(1);

    /// <summary>Between two orders of one who places them.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(30);

    private static readonly string[] StepsOfOne = ["pay", "ship", "complete", "refund"];
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
    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) })
    {
        Timeout = TimeSpan.FromSeconds(10),
    };
    private readonly HttpClient _streams = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };
    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> _committed = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly CancellationTokenSource _enough = new();
    private readonly List<Task> _watching = [];
    private readonly List<(ConsoleProcess Console, WatchRecord Record)> _consoles = [];
    private SiloProcess? _silo;
    private CuttingProxy? _httpProxy;
    private readonly SemaphoreSlim _acknowledged = new(0);

    public int Rounds { get; } = Campaign.Rounds("WATCH_ROUNDS", most: 500);

    public int Kills { get; private set; }

    public int Cuts => _httpProxy!.Cuts;

    public List<WatchRecord> Records { get; } = [];

    /// <summary>Those whose breaks are recorded: all but the consoles'.</summary>
    public List<WatchRecord> Streams { get; } = [];

    public WatchHistory History { get; private set; } = null!;

    public async ValueTask InitializeAsync() => await Run();

    public async ValueTask DisposeAsync()
    {
        await _leave.CancelAsync();
        await _enough.CancelAsync();
        await Task.WhenAll(_watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        IEnumerable<IAsyncDisposable?> parts = [_httpProxy, .. _consoles.Select(console => console.Console), _silo];
        foreach (var part in parts)
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }

        _acknowledged.Dispose();
        _http.Dispose();
        _streams.Dispose();
        _place.Dispose();
    }

    private async Task Run()
    {
        _silo = await SiloProcess.StartReady(_place, Settings);
        _httpProxy = new(_place.Http);
        var one = await Place("one");
        Watch(new("events", null, previous: true), OrderWatches.Start, _place.Http);
        Watch(new("events over a network that is cut", null, previous: false), OrderWatches.Start, _httpProxy.EndPoint);
        Watch(new(FromNow, null, previous: true), null, _httpProxy.EndPoint);
        Watch(new("events of one order", one, previous: true), OrderWatches.Start, _httpProxy.EndPoint);
        Watch(new("events read slowly", null, previous: false), OrderWatches.Start, _place.Http, TimeSpan.FromMilliseconds(20));
        WatchByGrpc(new("gRPC", null, previous: true));
        WatchByConsole(new("a console", null, previous: true));
        WatchByConsole(new("a console that is killed", null, previous: false));

        // A console must have reached a silo before it can miss one.
        await Wait.For(Task.WhenAll(_consoles.Select(console => console.Console.Spoke)), "the consoles to begin");
        var placing = Enumerable.Range(0, Placers).Select(placer => Task.Run(() => PlaceOrders(placer))).ToList();
        for (var round = 0; round < Rounds; round++)
        {
            await Acknowledged(ChangesInRound);
            Assert.All(_consoles, console =>
                Assert.False(
                    console.Console.Exit.IsCompleted,
                    $"{console.Record.Name} ended: {string.Join(Environment.NewLine, console.Console.Errors)}"
                )
            );
            await Fault(round);
            if (round < StepsOfOne.Length)
            {
                await Step(one, StepsOfOne[round], $"one-{round}");
            }
        }

        await _enough.CancelAsync();
        await Task.WhenAll(placing);
        await Place("the last");
        await UntilAllWasTold();
        await _leave.CancelAsync();
        await Task.WhenAll(_watching);
        foreach (var (console, _) in _consoles)
        {
            console.Interrupt();
            Assert.Equal(0, await console.Ended());
        }

        History = new(Partitions, _committed, Records);
        Campaign.Report(
            "watch-faults",
            "Orders: faults under watches",
            $"{Rounds} faults under {Records.Count} watches while orders were placed: the silo killed or stopped, a console "
                + $"killed or stopped, connections cut.",
            ("changes committed", _committed.Values.Sum(steps => steps.Count)),
            ("changes told", Records.Sum(record => record.Changes)),
            ("kills of the silo", Kills),
            ("connections cut", Cuts),
            ("violations of the guarantees of a watch", History.Violations().Count)
        );
    }

    private async Task Fault(int round)
    {
        switch (round % 4)
        {
            case 0:
                await _silo!.Kill9();
                await _silo.DisposeAsync();
                Kills++;
                _silo = await SiloProcess.StartReady(_place, Settings);
                break;
            case 1:
                _httpProxy!.Cut();
                await KillConsole(1);
                break;
            case 2:
                await Halted(_silo!.ProcessId);
                break;
            default:
                await Halted(_consoles[0].Console.ProcessId);
                _httpProxy!.Cut();
                break;
        }
    }

    private static async Task Halted(int process)
    {
        await Signals.HaltBetweenCommits(process);
        await Task.Delay(Standstill);
        Signals.Send(process, Signals.Continue);
    }

    private async Task Acknowledged(int more)
    {
        for (var i = 0; i < more; i++)
        {
            var next = _acknowledged.WaitAsync();
            await Wait.For(Task.WhenAny([next, .. _watching]), "the next change to be acknowledged", () => _silo!.AllSaid);
            await NobodyFailed();
            await next;
        }
    }

    /// <summary>
    /// All who watch were told up to the last change, which is the only one of its moment: what comes before it in a watch, also what
    /// should not, has come. What they were told is looked at afterwards.
    /// </summary>
    private async Task UntilAllWasTold()
    {
        var committed = _committed.Values.Sum(steps => steps.Count);
        foreach (var record in Records.Where(record => record.Order is null && record.Name != FromNow))
        {
            await Told(
                () => record.Changes >= committed,
                $"{record.Name} to be told {committed} changes",
                () => $"It was told {record.Changes}."
            );
        }

        // How many are told from now on nobody knows: it has come as far as the others. One order's last change came long before.
        var (late, all) = (Records.Single(record => record.Name == FromNow), Records[0]);
        await Told(
            () => late.Cursor == all.Cursor,
            $"{late.Name} to be told as much as {all.Name}",
            () => $"It was told up to {late.Cursor}, and the other up to {all.Cursor}."
        );
    }

    private Task Told(Func<bool> isSo, string what, Func<string> state) =>
        Wait.Until(
            async () =>
            {
                await NobodyFailed();
                return isSo();
            },
            what,
            state
        );

    /// <summary>A watch comes back until it is told to leave; one that ended has seen what should not be.</summary>
    private async Task NobodyFailed()
    {
        foreach (var watch in _watching.Where(watch => watch.IsCompleted))
        {
            await watch;
        }
    }

    private async Task PlaceOrders(int placer)
    {
        for (var number = 0; !_enough.IsCancellationRequested; number++)
        {
            var key = $"{placer}-{number}";
            var id = await Place(key);
            foreach (
                var step in (number % 3) switch
                {
                    0 => new[] { "pay", "ship", "complete" },
                    1 => ["cancel"],
                    _ => ["pay", "refund"],
                }
            )
            {
                await Step(id, step, $"{key}-{step}");
            }

            await Task.Delay(Pace);
        }
    }

    private async Task<string> Place(string key)
    {
        var order = await Acknowledged("", key, """{"customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450}]}""");
        var id = order.GetProperty("id").GetString()!;
        _committed[id] = ["placed"];
        return id;
    }

    private async Task Step(string id, string step, string key)
    {
        var order = await Acknowledged($"/{id}/{step}", key, null);
        _committed[id] = [.. _committed[id], order.GetProperty("status").GetString()!];
    }

    /// <summary>Asks under one key until it is acknowledged.</summary>
    private async Task<JsonElement> Acknowledged(string path, string key, string? body)
    {
        var order = await OrderLoad.Ask(_http, path, key, body, [_place.Http], door: 0);
        _acknowledged.Release();
        return order;
    }

    private void Watch(WatchRecord record, string? from, IPEndPoint at, TimeSpan pause = default)
    {
        Records.Add(record);
        Streams.Add(record);
        _watching.Add(
            Task.Run(() =>
                WatchStreams.AgainAndAgain(
                    cancel =>
                        WatchStreams.Events(
                            _streams,
                            at,
                            record,
                            from,
                            () =>
                                pause > TimeSpan.Zero && !_enough.IsCancellationRequested
                                    ? Task.Delay(pause, cancel.Token)
                                    : Task.CompletedTask,
                            cancel
                        ),
                    _leave.Token
                )
            )
        );
    }

    private void WatchByGrpc(WatchRecord record)
    {
        Records.Add(record);
        Streams.Add(record);
        _watching.Add(Task.Run(() => WatchStreams.AgainAndAgain(cancel => WatchStreams.Grpc(_place.Grpc, record, cancel), _leave.Token)));
    }

    private void WatchByConsole(WatchRecord record)
    {
        Records.Add(record);
        _consoles.Add((StartConsole(record, OrderWatches.Start), record));
    }

    private ConsoleProcess StartConsole(WatchRecord record, string from)
    {
        record.Opened(from);
        string[] previous = record.Previous ? ["--previous"] : [];
        return ConsoleProcess.StartHeard(
            Take,
            ["orders", "watch", "--from", from, "--json", "--gateway", $"{_place.Gateway}", .. previous]
        );

        void Take(string line)
        {
            // Of a console that is killed the last line may be cut: it was not told.
            if (line.EndsWith('}') && TryParse(line) is { } change)
            {
                record.Told(WatchStreams.Told(change));
            }
        }
    }

    /// <summary>
    /// <c>kill -9</c>, and another console from the last cursor of this one, which has reached the silo before the next fault.
    /// </summary>
    private async Task KillConsole(int number)
    {
        var (console, record) = _consoles[number];
        await console.DisposeAsync();
        _consoles[number] = (StartConsole(record, record.Cursor!), record);
        await Wait.For(_consoles[number].Console.Spoke, "the next console to begin");
    }

    private static JsonElement? TryParse(string line)
    {
        try
        {
            return JsonElement.Parse(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
