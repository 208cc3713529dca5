using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Orders.Lifecycle;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Silo.Storage;

namespace Benchmarks.Orders;

/// <summary>
/// Orders a second that a silo places durably, beside the same rows straight into a <see cref="SqliteTableStore"/>: as many partitions, as
/// many orders to a commit, a head row
/// replaced by its etag in each, and nothing decided, called or announced. The two alternate, in folders of their own; whoever asks, the
/// silo and the store share the machine's cores.
/// </summary>
/// <remarks>The rates are warm: each side is run once before. A placer is a loop that places an order under a key of its own and waits for
/// the answer.
/// Orders have no e-mail address: what mail and webhooks take, <c>-- notify</c> tells. For the latencies orders are asked for at
/// 70 % and 90 % of the rate that was found, at times set beforehand: what waits because the silo is slow counts.</remarks>
internal static class OrdersBenchmark
{
    private const double RatioMark = 0.5;
    private const double CreateMark = 50;
    private const double CloseToFullMark = 100;
    private const double EndMark = 250;
    internal const int Partitions = 8;
    private const int OrdersInCommit = 20;

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds that each side of a round takes.",
            DefaultValueFactory = _ => 5,
        };
        var placers = new Option<int>("--placers") { Description = "Orders that are asked for at once.", DefaultValueFactory = _ => 256 };
        var command = new Command("orders", "Orders a second, durable, beside the same rows straight into the store.")
        {
            rounds,
            seconds,
            placers,
        };
        command.SetAction(
            async (result, _) =>
                FigureTable.Print(
                    await Measure(result.GetValue(rounds), TimeSpan.FromSeconds(result.GetValue(seconds)), result.GetValue(placers))
                )
        );
        return command;
    }

    public static async Task<IReadOnlyList<Figure>> Measure(int rounds, TimeSpan duration, int placers)
    {
        Console.WriteLine(
            $"Orders of two lines, {placers} at once, {Partitions} partitions, {rounds} rounds of {duration.TotalSeconds:0.#} s "
                + $"a side, medians."
        );
        Console.WriteLine(
            "round  store orders/s  orders/s  ratio  silo CPU-ms/order  orders/commit  /subscriber  silo peak MiB  create p50 "
                + "ms  p99 ms at 70 %  end p50 ms  p99 ms  create p99 ms at 90 %"
        );
        var folder = Directory.CreateTempSubdirectory("orders-benchmark-").FullName;
        try
        {
            var ledger = new FinishLedger(Path.Combine(folder, "seen"));
            using var silo = await SiloChild.Start(
                "Witness.dll",
                Path.Combine(folder, "silo"),
                [("WITNESS_FOLDER", ledger.Folder)],
                "--Orders:Partitions",
                $"{Partitions}"
            );
            using var client = await silo.Connect();
            var desk = new OrderDesk(client.Services.GetRequiredService<IGrainFactory>());
            await Baseline(Path.Combine(folder, "warm"), duration / 4);
            await Place(silo, desk, ledger, placers, duration / 2);
            List<Round> all = [];
            for (var round = 1; round <= rounds; round++)
            {
                var store = await Baseline(Path.Combine(folder, $"store-{round}"), duration);
                var placed = await Place(silo, desk, ledger, placers, duration);
                var latencies = await Latencies(desk, ledger, placed.PerSecond * 0.7, duration);
                var closeToFull = await Latencies(desk, ledger, placed.PerSecond * 0.9, duration);
                all.Add(new(store, placed, latencies, closeToFull.P99));
                Console.WriteLine($"{round, 5}  {all[^1]}");
            }

            silo.Dispose();
            await Count(Path.Combine(folder, "counted"), placers, duration);
            return
            [
                new(
                    "orders",
                    "orders/s, beside the bare rows",
                    all.Select(round => round.Orders.PerSecond),
                    all.Select(round => round.Store)
                )
                {
                    AtLeast = RatioMark,
                },
                new("orders", "CPU-ms an order", all.Select(round => round.Orders.CpuPerOrder)),
                new("orders", "orders to a commit", all.Select(round => round.Orders.PerCommit)),
                new("orders", "created at 70 %, p99, ms", all.Select(round => round.Create.P99)) { AtMost = CreateMark },
                new("orders", "created at 90 %, p99, ms", all.Select(round => round.CreateCloseToFull)) { AtMost = CloseToFullMark },
                new("orders", "finished at 70 %, p99, ms", all.Select(round => round.Create.EndP99)) { AtMost = EndMark },
                new("orders", "peak, MiB", all.Select(round => round.Orders.PeakMiB)),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>
    /// Commits and grain calls per order, in a silo of its own: it measures every call (<c>Telemetry:Calls</c>), which takes of its pace.
    /// Counted is what grains answered: calls from outside, of grains
    /// among each other, Orleans' own for its streams, and what goes on by the clock; not what a grain did without a call.
    /// </summary>
    private static async Task Count(string folder, int placers, TimeSpan duration)
    {
        var ledger = new FinishLedger(Path.Combine(folder, "seen"));
        using var silo = await SiloChild.Start(
            "Witness.dll",
            Path.Combine(folder, "silo"),
            [("WITNESS_FOLDER", ledger.Folder)],
            "--Orders:Partitions",
            $"{Partitions}",
            "--Telemetry:Calls",
            "true"
        );
        using var client = await silo.Connect();
        var desk = new OrderDesk(client.Services.GetRequiredService<IGrainFactory>());
        await Place(silo, desk, ledger, placers, duration / 4);
        var before = await GrainCalls.Read(silo.Http);
        var placed = await Place(silo, desk, ledger, placers, duration);
        var calls = (await GrainCalls.Read(silo.Http)).Since(before);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Counted over {placed.Orders} orders at {placed.PerSecond:0}/s: an order took {1 / placed.PerCommit:0.000} "
                    + $"commits of the feed, {1 / placed.PerSubscriberCommit:0.000} of its three subscribers together, and "
                    + $"{calls.All / (double)placed.Orders:0.00} grain calls:"
            )
        );
        foreach (
            var (method, count) in calls
                .ByMethod.OrderByDescending(pair => pair.Value)
                .TakeWhile(pair => pair.Value >= placed.Orders / 1000)
        )
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count / (double)placed.Orders, 8:0.000}  {method}"));
        }
    }

    /// <summary>Each partition commits the rows of twenty orders and goes on when they are durable.</summary>
    internal static async Task<double> Baseline(string folder, TimeSpan duration)
    {
        await using var store = SqliteTableStore.Open(Directory.CreateDirectory(folder).FullName);
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var started = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(
            Enumerable
                .Range(0, Partitions)
                .Select(partition =>
                    Task.Run(async () =>
                    {
                        var (orders, revision, head) = (0, 0L, (string?)null);
                        while (Stopwatch.GetTimestamp() < end)
                        {
                            var changes = Rows(partition, ref revision);
                            var row = OrderJson.Write(
                                new FeedHeadRow
                                {
                                    Revision = revision,
                                    In = revision,
                                    Done = revision,
                                }
                            );
                            changes.Add(
                                head is null
                                    ? RowChange.Insert(PartitionWriter.HeadKey, row)
                                    : RowChange.Replace(PartitionWriter.HeadKey, row, head)
                            );
                            var result = await store.Commit(OrderTable.Name, OrderTable.Partition(partition), changes);
                            head = result.ETags[^1]
                                ?? throw new InvalidOperationException("A commit of the baseline failed.", result.Cause);
                            orders += OrdersInCommit;
                        }

                        return orders;
                    })
                )
        );
        return counts.Sum() / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static List<RowChange> Rows(int partition, ref long revision)
    {
        var changes = new List<RowChange>(100);
        var written = new List<WrittenChange>(OrdersInCommit);
        for (var i = 0; i < OrdersInCommit; i++)
        {
            var key = IdempotencyKey.Random();
            var order = OrderLifecycle.Place(
                key.OrderId(Partitions),
                Order((int)revision),
                DateTimeOffset.UnixEpoch.AddTicks(revision * 1000)
            );
            var json = OrderJson.Write(order);
            var place = OrderTable.Place(order);
            changes.Add(
                RowChange.Insert(
                    OrderTable.Order(order.Id),
                    OrderJson.WriteOrder(
                        json,
                        [new(key.StepId.Value, OrderHash.Of(order), OrderRefusal.None, 1, order.Status, order.PlacedAt)]
                    )
                )
            );
            changes.Add(RowChange.Insert(OrderTable.CustomerPrefix(order.Customer) + place, ReadOnlyMemory<byte>.Empty));
            changes.Add(RowChange.Insert(OrderTable.StatusPrefix(order.Status) + place, ReadOnlyMemory<byte>.Empty));
            written.Add(new(json, null, null, null));
            revision++;
        }

        changes.Add(RowChange.Insert(OrderTable.Changes(revision), OrderJson.WriteChanges(written, 64 * 1024)));
        return changes;
    }

    private static async Task<Placed> Place(SiloChild silo, OrderDesk desk, FinishLedger ledger, int placers, TimeSpan duration)
    {
        var (cpu, head, subscribers) = (silo.Cpu, await Commits(desk), await SubscribersCommits(desk));
        var started = Stopwatch.GetTimestamp();
        var end = started + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var number = 0;
        var counts = await Task.WhenAll(
            Enumerable
                .Range(0, placers)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        var placed = 0;
                        while (Stopwatch.GetTimestamp() < end)
                        {
                            await PlaceOne(desk, Interlocked.Increment(ref number));
                            placed++;
                        }

                        return placed;
                    })
                )
        );
        await Finished(desk);
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var orders = counts.Sum();
        await ledger.Skip();
        return new(
            orders,
            orders / elapsed,
            (silo.Cpu - cpu).TotalMilliseconds / orders,
            (double)orders / Math.Max(1, await Commits(desk) - head),
            (double)orders / Math.Max(1, await SubscribersCommits(desk) - subscribers),
            silo.PeakBytes / 1048576.0
        );
    }

    private static async Task<Latency> Latencies(OrderDesk desk, FinishLedger ledger, double perSecond, TimeSpan duration)
    {
        var took = await AtRate(desk, perSecond, duration);
        await Finished(desk);
        var finished = await ledger.Read();
        return new(took[took.Length / 2], took[took.Length * 99 / 100], finished[finished.Count / 2], finished[finished.Count * 99 / 100]);
    }

    /// <summary>Milliseconds from when each order was due until it was acknowledged, sorted.</summary>
    internal static async Task<double[]> AtRate(OrderDesk desk, double perSecond, TimeSpan duration, bool hasEmail = false)
    {
        var count = (int)(perSecond * duration.TotalSeconds);
        var took = new double[count];
        var started = Stopwatch.GetTimestamp();
        var working = new List<Task>(count);
        for (var i = 0; i < count; )
        {
            for (var due = Math.Min(count, (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond) + 1); i < due; i++)
            {
                working.Add(One(i));
            }

            await Task.Delay(1);
        }

        await Task.WhenAll(working);
        Array.Sort(took);
        return took;

        async Task One(int i)
        {
            await PlaceOne(desk, i, hasEmail);
            took[i] = (Stopwatch.GetElapsedTime(started).TotalSeconds - (i / perSecond)) * 1000;
        }
    }

    /// <param name="hasEmail">Somebody is told of it by mail.</param>
    internal static async Task PlaceOne(OrderDesk desk, int number, bool hasEmail = false)
    {
        var reply = await desk.Place(
            IdempotencyKey.Random(),
            hasEmail ? Order(number) with { Email = $"customer-{number % 1000}@example.org" } : Order(number)
        );
        if (reply.Refusal != OrderRefusal.None)
        {
            throw new InvalidOperationException($"An order was refused: {reply.Detail}");
        }
    }

    private static PlaceOrder Order(int number) =>
        new()
        {
            Customer = $"customer-{number % 1000}",
            Currency = "EUR",
            Lines = [new("tea-green-100g", 2, 450), new("pot-iron-0.8l", 1, 6900)],
            Language = "en",
            Notes = "Please leave it with the neighbours.",
        };

    /// <summary>Commits of all partitions that held changes, as their rows say.</summary>
    internal static async Task<long> Commits(OrderDesk desk)
    {
        var heads = await Task.WhenAll(Enumerable.Range(0, Partitions).Select(partition => desk.Feed(partition).Head()));
        return heads.Sum(head => head.Commits);
    }

    /// <summary>Every subscriber has taken everything, durably.</summary>
    private static async Task Finished(OrderDesk desk)
    {
        while ((await desk.Subscribers.List()).Any(state => state.Lag > 0))
        {
            await Task.Delay(5);
        }
    }

    private static async Task<long> SubscribersCommits(OrderDesk desk) => (await desk.Subscribers.List()).Sum(state => state.Commits);

    private sealed record Placed(
        long Orders,
        double PerSecond,
        double CpuPerOrder,
        double PerCommit,
        double PerSubscriberCommit,
        double PeakMiB
    );

    private sealed record Latency(double P50, double P99, double EndP50, double EndP99);

    private sealed record Round(double Store, Placed Orders, Latency Create, double CreateCloseToFull)
    {
        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Store, 14:0}  {Orders.PerSecond, 8:0}  {Orders.PerSecond / Store, 5:0.00}  {Orders.CpuPerOrder, 17:0.000}  "
                    + $"{Orders.PerCommit, 13:0.0}  {Orders.PerSubscriberCommit, 11:0.0}  {Orders.PeakMiB, 13:0}  "
                    + $"{Create.P50, 13:0.0}  {Create.P99, 14:0.0}  {Create.EndP50, 11:0.0}  {Create.EndP99, 6:0.0}  "
                    + $"{CreateCloseToFull, 21:0.0}"
            );
    }
}
