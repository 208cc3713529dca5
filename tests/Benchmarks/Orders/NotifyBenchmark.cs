using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Doubles;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Orders;

/// <summary>
/// Orders a second with the audit, a mail and a webhook of each all finished, beside the same rows straight into the store as in <c>--
/// orders</c>; what mail and webhook take from end to end; and what
/// destinations that do not work cost those that do: one that nobody listens at, one that takes five seconds, one that always asks for
/// less, beside the same load without them, in turn.
/// </summary>
/// <remarks>The mail server and the endpoints are a process of their own (<c>tests/Outside</c>), which writes down when what reached it.
/// All share the machine's cores.
/// From end to end is from when the change was made until the last of the three had it.</remarks>
internal static class NotifyBenchmark
{
    private const double EndMark = 1.10;
    private const double CreateMark = 1.05;
    private const string Healthy = "/healthy";

    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(5);

    /// <summary>Before it counts: an endpoint is found to be down by asking it a few times.</summary>
    private static readonly TimeSpan SettlingIn = TimeSpan.FromSeconds(2);

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var isolation = new Option<int>("--isolation-rounds")
        {
            Description = "Rounds with and without the destinations that do not work; 0: none.",
            DefaultValueFactory = _ => 5,
        };
        var load = new Option<double>("--isolation-load")
        {
            Description = "Of the rate that was found, in those rounds.",
            DefaultValueFactory = _ => 0.5,
        };
        var rate = new Option<double?>("--rate")
        {
            Description = "Takes this as the rate that was found, and begins with the rounds for isolation.",
        };
        var seconds = new Option<double>("--seconds")
        {
            Description = "Seconds that each side of a round takes.",
            DefaultValueFactory = _ => 5,
        };
        var placers = new Option<int>("--placers") { Description = "Orders that are asked for at once.", DefaultValueFactory = _ => 64 };
        var command = new Command(
            "notify",
            "Orders a second, each with its audit, mail and webhook finished; and what destinations that do not work cost the others."
        )
        {
            rounds,
            isolation,
            load,
            rate,
            seconds,
            placers,
        };
        command.SetAction(
            async (result, _) =>
                FigureTable.Print(
                    await Measure(
                        result.GetValue(rate) is null ? result.GetValue(rounds) : 0,
                        result.GetValue(isolation),
                        result.GetValue(load),
                        result.GetValue(rate),
                        TimeSpan.FromSeconds(result.GetValue(seconds)),
                        result.GetValue(placers)
                    )
                )
        );
        return command;
    }

    public static async Task<IReadOnlyList<Figure>> Measure(
        int rounds,
        int isolation,
        double load,
        double? rate,
        TimeSpan duration,
        int placers
    )
    {
        List<Figure> figures = [];
        var folder = Directory.CreateTempSubdirectory("notify-benchmark-").FullName;
        try
        {
            await using var outside = await OutsideProcess.Start(folder);
            var ledger = new FinishLedger(Path.Combine(folder, "seen"));
            using var silo = await SiloChild.Start(
                "Witness.dll",
                Path.Combine(folder, "silo"),
                [("WITNESS_FOLDER", ledger.Folder), ("WITNESS_SUBSCRIBES", "false")],
                "--Orders:Partitions",
                $"{OrdersBenchmark.Partitions}",
                "--Webhooks:AllowHttp",
                "true",
                "--Webhooks:AllowPrivate",
                "127.0.0.0/8",
                "--Webhooks:PerSecond",
                "100000",
                "--Webhooks:MaxInFlight",
                "64",
                "--Mail:Host",
                "127.0.0.1",
                "--Mail:Port",
                $"{outside.SmtpPort}",
                "--Mail:Security",
                "None",
                "--Mail:From",
                "shop@example.com",
                "--Mail:PerSecond",
                "10000",
                "--Mail:MaxConnections",
                "16"
            );
            using var client = await silo.Connect();
            using var doors = new HttpClient { BaseAddress = new($"http://{silo.Http}") };
            var run = new Notified(outside, ledger, silo, new(client.Services.GetRequiredService<IGrainFactory>()), doors);
            await run.Add(outside.Url(Healthy), Healthy);
            await OrdersBenchmark.Baseline(Path.Combine(folder, "warm"), duration / 4);
            await run.Place(placers, duration);
            if (rate is null)
            {
                figures.AddRange(await Rates(run, folder, rounds, duration, placers));
                rate = figures[0].Value;
            }

            if (isolation > 0)
            {
                figures.AddRange(await Isolation(run, isolation, rate.Value * load, duration));
            }

            return figures;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The rate first.</summary>
    private static async Task<Figure[]> Rates(Notified run, string folder, int rounds, TimeSpan duration, int placers)
    {
        Console.WriteLine(
            $"Orders of two lines with audit, mail and webhook all finished, {placers} at once, {OrdersBenchmark.Partitions} "
                + $"partitions, {rounds} rounds of {duration.TotalSeconds:0.#} s a side, medians."
        );
        Console.WriteLine(
            "round  store orders/s  orders/s  ratio  silo CPU-ms/order  outside CPU-ms/order  at 70 %: create p50 ms  p99 ms  "
                + "webhook p50  p99  mail p50  p99  all p50  p99"
        );
        var (stores, rates, ends) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 1; round <= rounds; round++)
        {
            stores.Add(await OrdersBenchmark.Baseline(Path.Combine(folder, $"store-{round}"), duration));
            var placed = await run.Place(placers, duration);
            rates.Add(placed.PerSecond);
            var took = await run.AtRate(placed.PerSecond * 0.7, duration);
            ends.Add(P(took.All, 99));
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{round, 5}  {stores[^1], 14:0}  {placed.PerSecond, 8:0}  {placed.PerSecond / stores[^1], 5:0.00}  "
                        + $"{placed.SiloCpu, 17:0.000}  {placed.OutsideCpu, 20:0.000}  {P(took.Create, 50), 22:0.0}  "
                        + $"{P(took.Create, 99), 6:0.0}  {P(took.Webhook, 50), 11:0.0}  {P(took.Webhook, 99), 3:0}  "
                        + $"{P(took.Mail, 50), 8:0.0}  {P(took.Mail, 99), 3:0}  {P(took.All, 50), 7:0.0}  {P(took.All, 99), 3:0}"
                )
            );
        }

        return
        [
            new("notify", "orders/s, audited, mailed and told, beside the bare rows", rates, stores),
            new("notify", "finished at 70 %, p99, ms", ends),
        ];
    }

    /// <summary>What differs by less than the rounds do among each other says nothing.</summary>
    private static async Task<Figure[]> Isolation(Notified run, int rounds, double perSecond, TimeSpan duration)
    {
        Console.WriteLine();
        Console.WriteLine(
            $"Without and with three more endpoints, one refused, one that takes {Slow.TotalSeconds:0} s, one that always "
                + $"answers 429: {perSecond:0} orders/s, {rounds} rounds of {duration.TotalSeconds:0.#} s a side, p99 in ms."
        );
        Console.WriteLine("round  create without  with  webhook without  with  mail without  with  silo CPU-ms/order without  with");
        var (without, with) = (new List<Took>(), new List<Took>());
        for (var round = 1; round <= rounds; round++)
        {
            // In turn, and the other way round each time: what drifts is on both sides.
            foreach (var isWith in round % 2 == 0 ? new[] { true, false } : [false, true])
            {
                var ids = isWith ? await run.AddBroken(Slow) : [];
                await run.AtRate(perSecond, SettlingIn);
                (isWith ? with : without).Add(await run.AtRate(perSecond, duration));
                foreach (var id in ids)
                {
                    await run.Remove(id);
                }

                await run.Finished();
            }

            var (a, b) = (without[^1], with[^1]);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{round, 5}  {P(a.Create, 99), 14:0.0}  {P(b.Create, 99), 4:0.0}  {P(a.Webhook, 99), 15:0.0}  "
                        + $"{P(b.Webhook, 99), 4:0.0}  {P(a.Mail, 99), 12:0.0}  {P(b.Mail, 99), 4:0.0}  {a.SiloCpu, 25:0.00}  "
                        + $"{b.SiloCpu, 4:0.00}"
                )
            );
        }

        return
        [
            Beside("created, p99, ms, with broken endpoints beside without", took => took.Create, CreateMark),
            Beside("webhook, p99, ms, with beside without", took => took.Webhook, EndMark),
            Beside("mail, p99, ms, with beside without", took => took.Mail, EndMark),
        ];

        Figure Beside(string what, Func<Took, double[]> of, double mark) =>
            new("notify", what, with.Select(took => P(of(took), 99)), without.Select(took => P(of(took), 99))) { AtMost = mark };
    }

    private static double P(double[] sorted, int percent) => sorted[(int)((long)sorted.Length * percent / 100)];

    private sealed record Placed(double PerSecond, double SiloCpu, double OutsideCpu);

    /// <summary>Milliseconds, sorted.</summary>
    private sealed record Took(double[] Create, double[] Webhook, double[] Mail, double[] All, double SiloCpu);

    private sealed class Notified(OutsideProcess outside, FinishLedger ledger, SiloChild silo, OrderDesk desk, HttpClient doors)
    {
        private readonly HashSet<string> _broken = new(StringComparer.Ordinal);

        public async Task<string> Add(Uri url, string? path = null)
        {
            using var answer = await doors.PostAsJsonAsync("/api/orders/webhooks", new { url = url.AbsoluteUri });
            answer.EnsureSuccessStatusCode();
            var added = await answer.Content.ReadFromJsonAsync<JsonElement>();
            if (path is not null)
            {
                await outside.Secrets(path, added.GetProperty("secret").GetString()!);
            }

            return added.GetProperty("id").GetString()!;
        }

        public async Task Remove(string id)
        {
            using var answer = await doors.DeleteAsync(new Uri($"/api/orders/webhooks/{id}", UriKind.Relative));
            answer.EnsureSuccessStatusCode();
        }

        public async Task<List<string>> AddBroken(TimeSpan slow)
        {
            await outside.Behave("/slow", new EndpointAnswer { SlowMs = (int)slow.TotalMilliseconds });
            await outside.Behave("/throttles", new EndpointAnswer { Status = 429 });
            List<string> ids =
            [
                await Add(new($"http://127.0.0.1:{Unique.Port()}/dead")),
                await Add(outside.Url("/slow")),
                await Add(outside.Url("/throttles")),
            ];
            _broken.UnionWith(ids.Select(id => $"webhook-{id}"));
            return ids;
        }

        public async Task<Placed> Place(int placers, TimeSpan duration)
        {
            var (siloCpu, outsideCpu, number) = (silo.Cpu, outside.Cpu, 0);
            var started = Stopwatch.GetTimestamp();
            var end = started + (long)(duration.TotalSeconds * Stopwatch.Frequency);
            var counts = await Task.WhenAll(
                Enumerable
                    .Range(0, placers)
                    .Select(_ =>
                        Task.Run(async () =>
                        {
                            var placed = 0;
                            for (; Stopwatch.GetTimestamp() < end; placed++)
                            {
                                await OrdersBenchmark.PlaceOne(desk, Interlocked.Increment(ref number), hasEmail: true);
                            }

                            return placed;
                        })
                    )
            );
            await Finished();
            var (elapsed, orders) = (Stopwatch.GetElapsedTime(started).TotalSeconds, counts.Sum());
            await Skip();
            return new(
                orders / elapsed,
                (silo.Cpu - siloCpu).TotalMilliseconds / orders,
                (outside.Cpu - outsideCpu).TotalMilliseconds / orders
            );
        }

        public async Task<Took> AtRate(double perSecond, TimeSpan duration)
        {
            await Skip();
            var cpu = silo.Cpu;
            var create = await OrdersBenchmark.AtRate(desk, perSecond, duration, hasEmail: true);
            var perOrder = (silo.Cpu - cpu).TotalMilliseconds / create.Length;
            await Finished();
            var audited = await ledger.ReadByChange();
            var (at, webhook, mail) = (
                new Dictionary<string, long>(StringComparer.Ordinal),
                new Dictionary<string, long>(StringComparer.Ordinal),
                new Dictionary<string, long>(StringComparer.Ordinal)
            );
            foreach (var effect in await outside.Effects())
            {
                if (effect.Channel == OutsideEffect.Mail)
                {
                    mail.TryAdd(effect.Id[..effect.Id.IndexOf(".mail@", StringComparison.Ordinal)], effect.Ticks);
                }
                else if (effect.To == Healthy && effect.IsTaken)
                {
                    var key = effect.Id["msg_".Length..effect.Id.LastIndexOf('_')] + "." + effect.Id[(effect.Id.LastIndexOf('_') + 1)..];
                    at.TryAdd(key, effect.ChangeTicks);
                    webhook.TryAdd(key, effect.Ticks);
                    if (effect.Signature != "Good")
                    {
                        throw new InvalidOperationException($"A signature is {effect.Signature}.");
                    }
                }
            }

            if (webhook.Count != create.Length || mail.Count != create.Length || audited.Count != create.Length)
            {
                throw new InvalidOperationException(
                    $"Of {create.Length} orders {audited.Count} were audited, {webhook.Count} came to the endpoint and "
                        + $"{mail.Count} to the mail server."
                );
            }

            return new(
                create,
                Since(webhook),
                Since(mail),
                [
                    .. at
                        .Keys.Select(key =>
                            Math.Max(audited[key], Math.Max(Milliseconds(webhook[key] - at[key]), Milliseconds(mail[key] - at[key])))
                        )
                        .Order(),
                ],
                perOrder
            );

            double[] Since(Dictionary<string, long> effects) =>
                [.. effects.Select(effect => Milliseconds(effect.Value - at[effect.Key])).Order()];
        }

        /// <summary>Everybody has everything; those that do not work are not waited for.</summary>
        public async Task Finished()
        {
            while ((await desk.Subscribers.List()).Any(state => (state.Lag > 0 || state.Waiting > 0) && !_broken.Contains(state.Name)))
            {
                await Task.Delay(5);
            }
        }

        private async Task Skip()
        {
            await ledger.Skip();
            await outside.Effects();
        }

        private static double Milliseconds(long ticks) => ticks / (double)TimeSpan.TicksPerMillisecond;
    }
}
