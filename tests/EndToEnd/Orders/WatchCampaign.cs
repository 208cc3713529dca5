using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Doubles;
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

    private static readonly string[] StepsOfOne = ["pay", "ship", "complete", "refund"];
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(90);

    /// <summary>Longer than a start: what is asked while a silo is away waits for the next one.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly string[] Settings = ["--Orders:Partitions", $"{Partitions}", "--Limits:PerKey", "100000", "--Limits:InAll", "100000"];

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly HttpClient _streams = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly ConcurrentDictionary<string, IReadOnlyList<string>> _committed = new();
    private readonly CancellationTokenSource _leave = new();
    private readonly CancellationTokenSource _enough = new();
    private readonly List<Task> _watching = [];
    private readonly List<(ConsoleProcess Console, WatchRecord Record)> _consoles = [];
    private SiloProcess? _silo;
    private CuttingProxy? _httpProxy;
    private int _acknowledged;

    public int Rounds { get; } = Math.Clamp(int.Parse(Environment.GetEnvironmentVariable("WATCH_ROUNDS") ?? "10", CultureInfo.InvariantCulture), 10, 500);

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

        _http.Dispose();
        _streams.Dispose();
        _place.Dispose();
    }

    private async Task Run()
    {
        _silo = await SiloProcess.StartReady(_place, Start, Settings);
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
        await Task.WhenAll(_consoles.Select(console => console.Console.Spoke)).WaitAsync(Patience);
        var placing = Enumerable.Range(0, Placers).Select(placer => Task.Run(() => PlaceOrders(placer))).ToList();
        for (var round = 0; round < Rounds; round++)
        {
            await UntilAcknowledged((round + 1) * ChangesInRound);
            Assert.All(_consoles, console => Assert.False(console.Console.Exit.IsCompleted, $"{console.Record.Name} ended: {string.Join(Environment.NewLine, console.Console.Errors)}"));
            await Fault(round);
            if (round < StepsOfOne.Length)
            {
                await Step(one, StepsOfOne[round], $"one-{round}");
            }
        }

        await _enough.CancelAsync();
        await Task.WhenAll(placing);
        await UntilAllWasTold();
        await _leave.CancelAsync();
        await Task.WhenAll(_watching);
        foreach (var (console, _) in _consoles)
        {
            console.Interrupt();
            Assert.Equal(0, await console.Exit.WaitAsync(Patience));
        }

        History = new(Partitions, _committed, Records);
    }

    private async Task Fault(int round)
    {
        switch (round % 4)
        {
            case 0:
                await _silo!.Kill9();
                await _silo.DisposeAsync();
                Kills++;
                _silo = await SiloProcess.StartReady(_place, Start, Settings);
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
        Signals.Send(process, Signals.Halt);
        await Task.Delay(TimeSpan.FromSeconds(1));
        Signals.Send(process, Signals.Continue);
    }

    private async Task UntilAcknowledged(int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (Volatile.Read(ref _acknowledged) < count)
        {
            await NobodyFailed();
            Assert.False(patience.IsCancellationRequested, $"{count} changes were not acknowledged within {Patience}.");
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }
    }

    /// <summary>All who watch all from the start were told as many changes as were committed; what they were told is looked at afterwards.</summary>
    private async Task UntilAllWasTold()
    {
        var committed = _committed.Values.Sum(steps => steps.Count);
        using var patience = new CancellationTokenSource(Patience);
        foreach (var record in Records.Where(record => record.Order is null && record.Name != FromNow))
        {
            while (record.Changes < committed)
            {
                await NobodyFailed();
                Assert.False(patience.IsCancellationRequested, $"{record.Name} was told {record.Changes} of {committed} changes.");
                await Task.Delay(TimeSpan.FromMilliseconds(20));
            }
        }

        // How many are told from now on nobody knows: it has come as far as the others. One order's last change came long before.
        var (late, all) = (Records.Single(record => record.Name == FromNow), Records[0]);
        while (late.Cursor != all.Cursor)
        {
            await NobodyFailed();
            Assert.False(patience.IsCancellationRequested, $"{late.Name} was told up to {late.Cursor}, and {all.Name} up to {all.Cursor}.");
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }

        // For what should not come any more.
        await Task.Delay(TimeSpan.FromSeconds(1));
    }

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
            foreach (var step in (number % 3) switch { 0 => new[] { "pay", "ship", "complete" }, 1 => ["cancel"], _ => ["pay", "refund"] })
            {
                await Step(id, step, $"{key}-{step}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(30));
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
        var order = await OrderLoad.Ask(_http, path, key, body, [_place.Http], door: 0, Patience);
        Interlocked.Increment(ref _acknowledged);
        return order;
    }

    private void Watch(WatchRecord record, string? from, IPEndPoint at, TimeSpan pause = default)
    {
        Records.Add(record);
        Streams.Add(record);
        _watching.Add(Task.Run(() => WatchStreams.AgainAndAgain(
            cancel => WatchStreams.Events(_streams, at, record, from, () => pause > TimeSpan.Zero && !_enough.IsCancellationRequested ? Task.Delay(pause, cancel.Token) : Task.CompletedTask, cancel), _leave.Token)));
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
        return ConsoleProcess.StartHeard(Take, ["orders", "watch", "--from", from, "--json", "--gateway", $"{_place.Gateway}", .. previous]);

        void Take(string line)
        {
            // Of a console that is killed the last line may be cut: it was not told.
            if (line.EndsWith('}') && TryParse(line) is { } change)
            {
                record.Told(WatchStreams.Told(change));
            }
        }
    }

    /// <summary><c>kill -9</c>, and another console from the last cursor of this one, which has reached the silo before the next fault.</summary>
    private async Task KillConsole(int number)
    {
        var (console, record) = _consoles[number];
        await console.DisposeAsync();
        _consoles[number] = (StartConsole(record, record.Cursor!), record);
        await _consoles[number].Console.Spoke.WaitAsync(Patience);
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
