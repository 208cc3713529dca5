using System.Buffers.Text;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Grains.Interfaces.Orders;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks.Orders;

/// <summary>
/// How long after an order was decided those who watch all orders have it, by server-sent events over loopback, each watcher on a
/// connection of its own. The silo, the watchers and whoever
/// places the orders share the machine's cores.
/// </summary>
/// <remarks>
/// The lag counts from the time in the change, when it was decided: its commit is in it. Of the changes that come in one piece the oldest
/// is measured, so it is what is worst in that piece.
/// Orders have no e-mail address: what mail takes, <c>-- notify</c> tells. Memory is what the silo's working set grew by, its buffers and
/// Kestrel's included.
/// </remarks>
internal static class WatchBenchmark
{
    /// <summary>Milliseconds, 99 of 100.</summary>
    private const double LagMark = 150;

    /// <summary>Of the silo.</summary>
    private const double CoresMark = 0.8;

    /// <summary>KiB.</summary>
    private const double MemoryMark = 32;

    public static Command Command()
    {
        var watchers = new Option<int>("--watchers") { Description = "Watchers of all orders.", DefaultValueFactory = _ => 1000 };
        var rate = new Option<double>("--rate") { Description = "Changes a second.", DefaultValueFactory = _ => 200 };
        var seconds = new Option<double>("--seconds") { Description = "Seconds that are measured.", DefaultValueFactory = _ => 10 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 1 };
        var command = new Command("watch", "How long a change takes to a thousand watchers.") { watchers, rate, seconds, rounds };
        command.SetAction(
            async (result, _) =>
                FigureTable.Print(
                    await Measure(
                        result.GetValue(watchers),
                        result.GetValue(rate),
                        TimeSpan.FromSeconds(result.GetValue(seconds)),
                        result.GetValue(rounds)
                    )
                )
        );
        return command;
    }

    public static async Task<IReadOnlyList<Figure>> Measure(int watchers, double rate, TimeSpan duration, int rounds)
    {
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{watchers} watchers by server-sent events, {rate:0} changes/s for {duration.TotalSeconds:0.#} s."
            )
        );
        List<Round> all = [];
        for (var round = 1; round <= rounds; round++)
        {
            all.Add(await One(watchers, rate, duration));
            Console.WriteLine(all[^1]);
        }

        return
        [
            new("watch", "cores of the silo", all.Select(round => round.Cores)) { AtMost = CoresMark },
            new("watch", "from decided to watched, p99, ms", all.Select(round => round.P99)) { AtMost = LagMark },
            new("watch", "KiB a watcher", all.Select(round => round.KibPerWatcher)) { AtMost = MemoryMark },
            new("watch", "watchers that miss something", all.Select(round => (double)round.Missing)) { AtMost = 0 },
            new("watch", "changes delivered a second", all.Select(round => round.DeliveredPerSecond)),
        ];
    }

    private static async Task<Round> One(int watchers, double rate, TimeSpan duration)
    {
        var folder = Directory.CreateTempSubdirectory("watch-benchmark-").FullName;
        try
        {
            using var silo = await SiloChild.Start(
                Path.Combine(folder, "silo"),
                "--Limits:Streams",
                "10000",
                "--Limits:Connections",
                "20000",
                "--Limits:PerKey",
                "100000",
                "--Limits:InAll",
                "100000"
            );
            using var client = await silo.Connect();
            var desk = new OrderDesk(client.Services.GetRequiredService<IGrainFactory>());
            await Place(desk, rate, TimeSpan.FromSeconds(3));
            var before = silo.Bytes;
            using var leave = new CancellationTokenSource();
            var all = Enumerable.Range(0, watchers).Select(_ => new Watcher()).ToArray();
            var watching = all.Select(watcher => watcher.Watch(silo.Http, leave.Token)).ToArray();
            await Task.WhenAll(all.Select(watcher => watcher.Began));
            await Place(desk, rate, TimeSpan.FromSeconds(3));
            var perWatcher = (silo.Bytes - before) / (double)watchers;
            Array.ForEach(all, watcher => watcher.Begin());
            var cpu = silo.Cpu;
            var placed = await Place(desk, rate, duration);
            await Task.Delay(TimeSpan.FromSeconds(1));
            var spent = (silo.Cpu - cpu).TotalSeconds / duration.TotalSeconds;
            var missing = all.Count(watcher => watcher.Changes < placed);
            await leave.CancelAsync();
            await Task.WhenAll(watching);
            var lags = all.SelectMany(watcher => watcher.Lags).Order().ToArray();
            return new(
                lags[lags.Length / 2],
                lags[lags.Length * 99 / 100],
                lags[^1],
                all.Sum(watcher => (long)watcher.Changes) / duration.TotalSeconds,
                all.Average(watcher => (double)watcher.Changes / Math.Max(1, watcher.Lags.Count)),
                perWatcher / 1024,
                spent,
                missing
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Places orders at times that are set beforehand.</summary>
    private static async Task<int> Place(OrderDesk desk, double perSecond, TimeSpan duration)
    {
        var count = (int)(perSecond * duration.TotalSeconds);
        var started = Stopwatch.GetTimestamp();
        var working = new List<Task<OrderReply>>(count);
        while (working.Count < count)
        {
            for (var due = Math.Min(count, (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * perSecond) + 1); working.Count < due; )
            {
                working.Add(
                    desk.Place(
                        IdempotencyKey.Random(),
                        new()
                        {
                            Customer = $"customer-{working.Count % 1000}",
                            Currency = "EUR",
                            Lines = [new("tea-green-100g", 2, 450), new("pot-iron-0.8l", 1, 6900)],
                        }
                    )
                );
            }

            await Task.Delay(1);
        }

        var refused = (await Task.WhenAll(working)).FirstOrDefault(reply => reply.Refusal != OrderRefusal.None);
        return refused is null ? count : throw new InvalidOperationException($"An order was refused: {refused.Detail}");
    }

    private sealed record Round(
        double P50,
        double P99,
        double Most,
        double DeliveredPerSecond,
        double InPiece,
        double KibPerWatcher,
        double Cores,
        int Missing
    )
    {
        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"Lag p50 {P50:0.0} ms, p99 {P99:0.0} ms, most {Most:0.0} ms; {DeliveredPerSecond:0} deliveries/s in pieces of "
                    + $"{InPiece:0.0}; {KibPerWatcher:0.0} KiB per watcher; the silo used {Cores:0.00} cores; {Missing} watchers miss "
                    + $"something."
            );
    }

    /// <summary>
    /// A connection that counts events and looks at times, and reads no more into them: a thousand of them share two cores with what they
    /// measure.
    /// </summary>
    private sealed class Watcher
    {
        private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _isMeasured;

        /// <summary>Each change has it once.</summary>
        private static ReadOnlySpan<byte> Word => "\"type\":\"order"u8;

        public Task Began => _began.Task;

        public int Changes { get; private set; }

        /// <summary>In milliseconds.</summary>
        public List<double> Lags { get; } = new(1024);

        public void Begin() => _isMeasured = true;

        public async Task Watch(IPEndPoint at, CancellationToken cancel)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(at, cancel);
            // HTTP/1.0, so that no marks of chunks stand between the bytes.
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /api/orders/watch HTTP/1.0\r\nHost: {at}\r\n\r\n"), cancel);
            var buffer = new byte[16 * 1024];
            var kept = 0;
            try
            {
                for (int read; (read = await socket.ReceiveAsync(buffer.AsMemory(kept), cancel)) > 0; )
                {
                    Take(buffer.AsSpan(0, kept + read));
                    // A word may be cut between two pieces: what could be its beginning is looked at again.
                    var next = Math.Min(Word.Length - 1, kept + read);
                    buffer.AsSpan(kept + read - next, next).CopyTo(buffer);
                    kept = next;
                }
            }
            catch (OperationCanceledException)
            {
                // It is over.
            }
        }

        private void Take(ReadOnlySpan<byte> piece)
        {
            if (!_began.Task.IsCompleted && piece.IndexOf("event: progress"u8) >= 0)
            {
                _began.SetResult();
            }

            if (!_isMeasured)
            {
                return;
            }

            Changes += Count(piece, Word);
            var at = piece.IndexOf("\"at\":\""u8);
            if (at >= 0 && Utf8Parser.TryParse(piece[(at + 6)..], out DateTimeOffset decided, out _, 'O'))
            {
                Lags.Add((TimeProvider.System.GetUtcNow() - decided).TotalMilliseconds);
            }
        }

        private static int Count(ReadOnlySpan<byte> piece, ReadOnlySpan<byte> word)
        {
            var count = 0;
            for (int at; (at = piece.IndexOf(word)) >= 0; piece = piece[(at + word.Length)..])
            {
                count++;
            }

            return count;
        }
    }
}
