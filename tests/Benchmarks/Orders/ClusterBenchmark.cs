using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Grains.Interfaces.Orders;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Orders;

/// <summary>
/// What a cluster costs: orders a second with one, two and three silos on the same machine and one data folder, and the calls that silos
/// make to each other for an order. They share the machine's cores, so more of them can only be slower.
/// </summary>
/// <remarks>The silos count their calls (<c>Telemetry:Calls</c>), which takes of their pace, of each number of them alike.</remarks>
internal static class ClusterBenchmark
{
    private const int MostSilos = 3;

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<double>("--seconds") { Description = "Seconds that are measured.", DefaultValueFactory = _ => 5 };
        var placers = new Option<int>("--placers") { Description = "Orders that are asked for at once.", DefaultValueFactory = _ => 256 };
        var command = new Command("cluster", "Orders a second, and calls between silos, with one, two and three silos.")
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
            $"Orders of two lines with one to {MostSilos} silos, {placers} at once, {rounds} rounds of {duration.TotalSeconds} s."
        );
        Console.WriteLine("round  silos  orders/s  CPU-ms/order, all silos  calls between silos/order");
        var all = Enumerable.Range(1, MostSilos).Select(_ => new List<Placed>()).ToArray();
        for (var round = 1; round <= rounds; round++)
        {
            for (var silos = 1; silos <= MostSilos; silos++)
            {
                var placed = await One(silos, duration, placers);
                all[silos - 1].Add(placed);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{round, 5}  {silos, 5}  {placed}"));
            }
        }

        var alone = all[0];
        List<Figure> figures = [new("cluster", "orders/s, one silo", alone.Select(placed => placed.PerSecond))];
        for (var silos = 2; silos <= MostSilos; silos++)
        {
            var placed = all[silos - 1];
            figures.Add(
                new(
                    "cluster",
                    $"orders/s, {silos} silos beside one",
                    placed.Select(one => one.PerSecond),
                    alone.Select(one => one.PerSecond)
                )
            );
            figures.Add(
                new(
                    "cluster",
                    $"CPU-ms an order, {silos} silos beside one",
                    placed.Select(one => one.CpuPerOrder),
                    alone.Select(one => one.CpuPerOrder)
                )
                {
                    IsCost = true,
                }
            );
            figures.Add(new("cluster", $"calls between {silos} silos an order", placed.Select(one => one.CallsPerOrder)));
        }

        return figures;
    }

    private static async Task<Placed> One(int count, TimeSpan duration, int placers)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-benchmark-").FullName;
        List<SiloChild> silos = [];
        try
        {
            for (var silo = 0; silo < count; silo++)
            {
                silos.Add(
                    await SiloChild.Start(folder, "--Orders:Partitions", $"{OrdersBenchmark.Partitions}", "--Telemetry:Calls", "true")
                );
            }

            using var client = await SiloChild.Connect([.. silos.Select(silo => silo.Gateway)]);
            var desk = new OrderDesk(client.Services.GetRequiredService<IGrainFactory>());
            await Place(desk, duration / 2, placers);
            var (cpu, calls) = (Cpu(silos), await Calls(silos));
            var started = Stopwatch.GetTimestamp();
            var orders = await Place(desk, duration, placers);
            var took = Stopwatch.GetElapsedTime(started);
            var spent = Cpu(silos) - cpu;
            return new(orders / took.TotalSeconds, spent.TotalMilliseconds / orders, (await Calls(silos) - calls) / (double)orders);
        }
        finally
        {
            silos.ForEach(silo => silo.Dispose());
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<int> Place(OrderDesk desk, TimeSpan duration, int placers)
    {
        var (number, started) = (0, Stopwatch.GetTimestamp());
        await Task.WhenAll(
            Enumerable
                .Range(0, placers)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        while (Stopwatch.GetElapsedTime(started) < duration)
                        {
                            await OrdersBenchmark.PlaceOne(desk, Interlocked.Increment(ref number));
                        }
                    })
                )
        );
        return number;
    }

    private static TimeSpan Cpu(List<SiloChild> silos) => TimeSpan.FromTicks(silos.Sum(silo => silo.Cpu.Ticks));

    private static async Task<long> Calls(List<SiloChild> silos) =>
        (await Task.WhenAll(silos.Select(silo => GrainCalls.FromOtherSilos(silo.Http)))).Sum();

    private sealed record Placed(double PerSecond, double CpuPerOrder, double CallsPerOrder)
    {
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{PerSecond, 8:0}  {CpuPerOrder, 23:0.000}  {CallsPerOrder, 25:0.00}");
    }
}
