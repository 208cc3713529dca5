using Grains.Orders.Feed;
using Grains.Orders.Watch;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Data.Sqlite;
using Silo.Orders.Wire;
using Silo.Storage;
using Xunit;
using static EndToEnd.Orders.OrderDoor;

namespace EndToEnd.Orders;

/// <summary>
/// A silo of which callers have API keys, with two partitions of orders, the older changes of which are not kept any more.
/// </summary>
public sealed class KeyedSilo : IAsyncLifetime
{
    private const int Partitions = 2;

    private static readonly string[] Settings =
    [
        "--Orders:Partitions",
        $"{Partitions}",
        "--Limits:PerKey",
        "100000",
        "--Limits:InAll",
        "100000",
    ];

    private SiloProcess? _silo;

    public SiloPlace Place { get; } = new();

    internal OrderDoor Door { get; private set; } = null!;

    /// <summary>Header of an API key that may write.</summary>
    public (string Name, string Value) Writer { get; private set; }

    /// <summary>Of an order, changes of which are not kept any more.</summary>
    public string Order { get; private set; } = "";

    /// <summary>The cursor after the first change of <see cref="Order"/>: what comes next is not kept.</summary>
    public string Compacted { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Door = new(Place);
        _silo = await SiloProcess.StartReady(Place, Settings);
        Order = await Door.Placed("ann", steps: ["pay", "ship", "complete"]);
        using (var channel = GrpcChannel.ForAddress($"http://{Place.Grpc}"))
        using (var watch = new OrderWatch.OrderWatchClient(channel).Watch(new() { From = OrderWatches.Start, OrderId = Order }))
        {
            while (await watch.ResponseStream.MoveNext(CancellationToken.None) && watch.ResponseStream.Current is not { Change: not null })
            { }

            Compacted = watch.ResponseStream.Current.Cursor;
        }

        await Door.Settled();
        await using (var console = await ConsoleProcess.Reach("keys", "add", "shop", "--role", "writer", "--gateway", $"{Place.Gateway}"))
        {
            Writer = ("Authorization", $"Bearer {Assert.Single(console.Output)}");
        }

        Assert.Equal(0, await _silo.Stop());
        await _silo.DisposeAsync();
        await Compact(TimeSpan.FromDays(31));
        _silo = await SiloProcess.StartReady(Place, Settings);
        // What comes first decides whether something is kept: one more change of that partition is.
        Assert.Equal(200, (await Door.Post($"/api/orders/{Order}/refund", null, Writer, ("Idempotency-Key", "refund"))).Status);
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        Door.Dispose();
        Place.Dispose();
    }

    /// <summary>Does what the feed would do by itself after so long.</summary>
    private async Task Compact(TimeSpan later)
    {
        var clock = new ClockAhead(later);
        await using var store = SqliteTableStore.Open(Path.Combine(Place.Data, "tables"));
        for (var number = 0; number < Partitions; number++)
        {
            var partition = await FeedPartition.Open(store, clock, number, _ => { }, _ => { });
            foreach (var name in partition.Feed.Listed)
            {
                // It has read all; it tells so every few seconds, and the silo was stopped before.
                partition.Feed.Advance(name, partition.Feed.Committed.Revision + 1);
            }

            while (await partition.Compact(TimeSpan.FromDays(30))) { }
        }
    }

    /// <summary>Runs as the system's clock does, so much ahead.</summary>
    private sealed class ClockAhead(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}

/// <summary>What a real silo refuses, at each of its doors, and how.</summary>
public sealed class RefusalsTests(KeyedSilo silo) : IClassFixture<KeyedSilo>
{
    private const int AtOnce = 50;

    private OrderDoor Door => silo.Door;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ACursorWhoseNextChangeIsNotKeptAnyMoreIsRefusedAtEachDoorWithOneThatIsGood()
    {
        var (status, detail) = (await Door.Get($"/api/orders/{silo.Order}/watch?from={silo.Compacted}", silo.Writer)).Problem;
        Assert.Equal(410, status);
        Assert.StartsWith("What comes after this cursor is not kept any more: change 2 of partition", detail, StringComparison.Ordinal);
        Assert.Equal(
            (410, detail),
            (await Door.Get($"/api/orders/{silo.Order}/watch?from=start", silo.Writer, ("Last-Event-ID", silo.Compacted))).Problem
        );

        using var channel = GrpcChannel.ForAddress($"http://{silo.Place.Grpc}");
        var refused = await Refused(channel, new() { From = silo.Compacted, OrderId = silo.Order });
        Assert.Equal((StatusCode.OutOfRange, detail), (refused.StatusCode, refused.Status.Detail));
        var lowest = refused.Trailers.GetValue("lowest-cursor");
        Assert.NotNull(lowest);
        Assert.EndsWith(lowest, detail, StringComparison.Ordinal);

        var console = await Door.Run("watch", silo.Order, "--from", silo.Compacted);
        Assert.Equal(new(ExitCode.Failed, "", detail + "\n"), console);

        // From the one that it names it goes on.
        using var watch = new OrderWatch.OrderWatchClient(channel).Watch(
            new()
            {
                From = lowest,
                OrderId = silo.Order,
                Previous = true,
            },
            Headers(),
            cancellationToken: Cancel
        );
        while (await watch.ResponseStream.MoveNext(Cancel) && watch.ResponseStream.Current.Change is null) { }

        var change = watch.ResponseStream.Current.Change!;
        Assert.Equal((5, "order.refunded", "completed"), (change.Version, change.Type, change.Previous.Status));
    }

    [Fact]
    public async Task ACursorThatIsNoneIsRefusedAtEachDoor()
    {
        using var channel = GrpcChannel.ForAddress($"http://{silo.Place.Grpc}");
        foreach (var cursor in new[] { "nonsense", silo.Compacted[..^1], silo.Compacted + "x" })
        {
            var (status, detail) = (await Door.Get($"/api/orders/watch?from={cursor}", silo.Writer)).Problem;
            Assert.Equal(400, status);
            Assert.Equal((400, detail), (await Door.Get("/api/orders/watch", silo.Writer, ("Last-Event-ID", cursor))).Problem);
            var refused = await Refused(channel, new() { From = cursor });
            Assert.Equal((StatusCode.InvalidArgument, detail), (refused.StatusCode, refused.Status.Detail));
            Assert.Equal(new(ExitCode.Failed, "", detail + "\n"), await Door.Run("watch", "--from", cursor));
        }

        // One order's cursor does not do for all, and what is no order cannot be watched.
        Assert.Equal(
            (400, "The cursor is of a watch of one order, and does for that order only."),
            (await Door.Get($"/api/orders/watch?from={silo.Compacted}", silo.Writer)).Problem
        );
        Assert.Equal(400, (await Door.Get("/api/orders/nosuch/watch", silo.Writer)).Status);
        Assert.Equal(StatusCode.InvalidArgument, (await Refused(channel, new() { OrderId = "nosuch" })).StatusCode);
        Assert.Equal(
            (400, "\"previous\" is true or false; this is \"perhaps\"."),
            (await Door.Get("/api/orders/watch?previous=perhaps", silo.Writer)).Problem
        );
    }

    [Fact]
    public async Task OfFiftyCreatesAtOnceUnderOneKeyOneIsDoneAndTheOthersAreToldThatItIs()
    {
        Task<DoorAnswer> last;
        using (Hold("orders"))
        {
            // Nothing can be committed: one waits for that, and the others are answered.
            var all = Enumerable.Range(0, AtOnce).Select(_ => Place("fifty", "fifty")).ToList();
            while (all.Count > 1)
            {
                var early = await Task.WhenAny(all);
                all.Remove(early);
                Assert.Equal((409, "1"), ((await early).Status, (await early).RetryAfter));
            }

            last = all[0];
            Assert.False(last.IsCompleted);
        }

        var first = await last;
        Assert.Equal((201, "\"1\""), (first.Status, first.ETag));
        Assert.All(await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Place("fifty", "fifty"))), again =>
            Assert.Equal(first, again)
        );
        Assert.Equal(
            first.Id,
            Text(
                Assert.Single((await Door.Get("/api/orders?customer=fifty", silo.Writer)).Json.GetProperty("orders").EnumerateArray()),
                "id"
            )
        );
    }

    [Fact]
    public async Task AKeyIsNeededAndStandsForOneThing()
    {
        Assert.Equal(
            (400, "Idempotency-Key is missing: a text of your choice, a new one for each thing that is to be done once, such as a UUID."),
            (await Door.Post("/api/orders", Tea("ann"), silo.Writer)).Problem
        );
        var order = await Place("bob", "a key");
        var reused = await Place("ann", "a key");
        Assert.Equal((422, "Something else was asked for under this key before. Choose a new key, or ask the same."), reused.Problem);

        // So does a step's, at that order; what was refused stays refused under it.
        Assert.Equal(400, (await Door.Post($"/api/orders/{order.Id}/pay", null, silo.Writer)).Status);
        var early = await Step(order.Id, "ship", "too early");
        Assert.Equal((409, $"The order {order.Id} is placed; only a paid one can be shipped."), early.Problem);
        Assert.Equal(200, (await Step(order.Id, "pay", "paid")).Status);
        Assert.Equal(early.Problem, (await Step(order.Id, "ship", "too early")).Problem);
        Assert.Equal(422, (await Step(order.Id, "ship", "paid")).Status);
        Assert.Equal(422, (await Step(order.Id, "ship", "a key")).Status);
        Assert.Equal((200, "\"3\""), (await Step(order.Id, "ship", "shipped")) is var shipped ? (shipped.Status, shipped.ETag) : default);
        Assert.Equal(order, await Place("bob", "a key"));
    }

    [Fact]
    public async Task AStepAlreadyTakenUnderItsKeyIsAnsweredBeforeItsVersionIsLookedAt()
    {
        var order = await Place("eve", "eve");
        var paid = await Step(order.Id, "pay", "p", ("If-Match", "\"1\""));
        Assert.Equal((200, "\"2\""), (paid.Status, paid.ETag));
        Assert.Equal(paid, await Step(order.Id, "pay", "p", ("If-Match", "\"1\"")));

        var stale = await Step(order.Id, "ship", "s", ("If-Match", "\"1\""));
        Assert.Equal((412, "\"2\""), (stale.Status, stale.ETag));
        Assert.Equal(412, (await Step(order.Id, "ship", "s", ("If-Match", "\"1\""))).Status);
        Assert.Equal(200, (await Step(order.Id, "ship", "s2", ("If-Match", stale.ETag!))).Status);

        // And after it has gone further.
        Assert.Equal(paid, await Step(order.Id, "pay", "p", ("If-Match", "\"1\"")));
        Assert.Equal("\"3\"", (await Door.Get($"/api/orders/{order.Id}", silo.Writer)).ETag);
    }

    private Task<DoorAnswer> Place(string customer, string key) =>
        Door.Post("/api/orders", Tea(customer), silo.Writer, ("Idempotency-Key", key));

    private Task<DoorAnswer> Step(string order, string step, string key, params IEnumerable<(string, string)> headers) =>
        Door.Post($"/api/orders/{order}/{step}", null, [silo.Writer, ("Idempotency-Key", key), .. headers]);

    private Metadata Headers() => new() { { silo.Writer.Name.ToLowerInvariant(), silo.Writer.Value } };

    private async Task<RpcException> Refused(GrpcChannel channel, WatchRequest request)
    {
        using var watch = new OrderWatch.OrderWatchClient(channel).Watch(request, Headers(), cancellationToken: Cancel);
        return await Assert.ThrowsAsync<RpcException>(() => watch.ResponseStream.MoveNext(Cancel));
    }

    /// <summary>
    /// Until it is disposed of nobody else can write to the table, as if another process of this machine were long about it.
    /// </summary>
    private Held Hold(string table)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = Path.Combine(silo.Place.Data, "tables", table + ".db"),
                Pooling = false,
            }.ConnectionString
        );
        connection.Open();
        return new(connection, connection.BeginTransaction(deferred: false));
    }

    private sealed class Held(SqliteConnection connection, SqliteTransaction transaction) : IDisposable
    {
        public void Dispose()
        {
            transaction.Dispose();
            connection.Dispose();
        }
    }
}
