using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace Benchmarks.Logs;

/// <summary>
/// OTLP over HTTP into a silo, acknowledged when durable, beside a process that decodes the same requests and drops them. The generator
/// shares the machine's cores with both.
/// </summary>
/// <param name="flood">How long the flood lasts; zero: there is none.</param>
internal sealed class LogsBenchmark(TimeSpan duration, TimeSpan flood, int senders, string[] settings)
{
    /// <summary>The silo's processor time for a record, of what decoding and dropping it takes.</summary>
    private const double CpuMark = 5;

    /// <summary>Milliseconds, 99 of 100, at half of the rate that was found.</summary>
    private const double HalfLoadMark = 300;

    private const double PeakMark = 400;
    private const double FloodPeakMark = 600;

    /// <summary>Senders of the flood: more than are let in at once.</summary>
    private const int FloodSenders = 256;

    /// <summary>Until the runtime has compiled what is hot; else its work is counted as the records'.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);

    private readonly LogRequests _requests = new(seed: 1);

    public static Command Command()
    {
        var seconds = new Option<int>("--seconds") { Description = "How long each load lasts.", DefaultValueFactory = _ => 10 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var flood = new Option<int>("--flood")
        {
            Description = "Seconds of a flood by 256 senders, for the memory; 0: none.",
            DefaultValueFactory = _ => 40,
        };
        var senders = new Option<int>("--senders") { Description = "Requests at once.", DefaultValueFactory = _ => 64 };
        var settings = new Option<string[]>("--silo")
        {
            Description = "Further settings of the silo: --silo Logs:Linger=00:00:00.05",
            DefaultValueFactory = _ => [],
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command(
            "logs",
            "Records a second that are durable when they are acknowledged, beside the same requests decoded and dropped."
        )
        {
            seconds,
            rounds,
            flood,
            senders,
            settings,
        };
        command.SetAction(
            async (result, _) =>
                FigureTable.Print(
                    await new LogsBenchmark(
                        TimeSpan.FromSeconds(result.GetValue(seconds)),
                        TimeSpan.FromSeconds(result.GetValue(flood)),
                        result.GetValue(senders),
                        [.. result.GetValue(settings)!.Select(setting => $"--{setting}")]
                    ).Measure(result.GetValue(rounds))
                )
        );
        return command;
    }

    public async Task<IReadOnlyList<Figure>> Measure(int rounds)
    {
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Requests of {LogRequests.Records} records of {_requests.BytesPerRecord:0} bytes, {senders} at once, "
                    + $"{duration.TotalSeconds:0} s a load, {rounds} rounds, medians."
            )
        );
        Console.WriteLine(
            "round  dropped records/s  CPU-s/million  durable records/s  ratio  silo CPU-s/million  silo peak MiB  "
                + "p50 ms  p99 ms (at full load)"
        );
        List<Round> all = [];
        for (var round = 1; round <= rounds; round++)
        {
            all.Add(new(await Dropped(), await Durable()));
            Console.WriteLine($"{round, 5}  {all[^1]}");
        }

        List<double> half = [];
        for (var round = 1; round <= rounds; round++)
        {
            half.Add(await HalfLoad(Rounds.Median(all.Select(one => one.Durable.Load.RecordsPerSecond)) / 2));
        }

        var grpc = await Loaded("gRPC", silo => new GrpcConnection(silo.Grpc), senders, duration);
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < WarmUp; )
        {
            SegmentCosts.Of(_requests);
        }

        var parts = Enumerable.Range(0, rounds).Select(_ => SegmentCosts.Of(_requests)).ToList();
        List<Figure> figures =
        [
            new(
                "logs",
                "records/s, durable, beside dropped",
                all.Select(one => one.Durable.Load.RecordsPerSecond),
                all.Select(one => one.Dropped.Load.RecordsPerSecond)
            ),
            new(
                "logs",
                "CPU-s a million records, durable, beside dropped",
                all.Select(one => one.Durable.CpuPerMillion),
                all.Select(one => one.Dropped.CpuPerMillion)
            )
            {
                AtMost = CpuMark,
            },
            new("logs", "the parts alone: decoded, CPU-s a million", parts.Select(part => part.Decoded)),
            new("logs", "the parts alone: written as segments, CPU-s a million", parts.Select(part => part.Written)),
            new("logs", "the parts alone: merged once, CPU-s a million", parts.Select(part => part.Merged)),
            new("logs", "acknowledged at half load, p99, ms", half) { AtMost = HalfLoadMark },
            new("logs", "peak, MiB", all.Select(one => one.Durable.PeakMiB)) { AtMost = PeakMark },
            new("logs", "gRPC: records/s", [grpc.Load.RecordsPerSecond]),
            new("logs", "gRPC: CPU-s a million records", [grpc.CpuPerMillion]),
        ];
        if (flood > TimeSpan.Zero)
        {
            var flooded = await Loaded("flood", silo => new HttpConnection(silo.Http), FloodSenders, flood);
            figures.Add(new("logs", $"peak in a flood of {flood.TotalSeconds:0} s, MiB", [flooded.PeakMiB]) { AtMost = FloodPeakMark });
        }

        return figures;
    }

    private async Task<Measured> Dropped()
    {
        var (baseline, door) = await DropServer.Start();
        using (baseline)
        {
            try
            {
                await LogLoad.Run(() => new HttpConnection(door), _requests, senders, WarmUp);
                var cpu = Cpu(baseline);
                var load = await LogLoad.Run(() => new HttpConnection(door), _requests, senders, duration);
                return new(load, Cpu(baseline) - cpu, 0);
            }
            finally
            {
                baseline.Kill();
            }
        }
    }

    private Task<Measured> Durable() => Loaded(null, silo => new HttpConnection(silo.Http), senders, duration);

    /// <summary>A silo of its own under a load.</summary>
    /// <param name="name">Of a line that tells what came of it; null: none.</param>
    private async Task<Measured> Loaded(string? name, Func<SiloChild, ILogConnection> connect, int count, TimeSpan span)
    {
        var folder = Directory.CreateTempSubdirectory("logs-");
        try
        {
            using var silo = await SiloChild.Start(folder.FullName, [.. settings]);
            await LogLoad.Run(() => connect(silo), _requests, count, WarmUp);
            var cpu = silo.Cpu;
            var load = await LogLoad.Run(() => connect(silo), _requests, count, span);
            var measured = new Measured(load, silo.Cpu - cpu, silo.PeakBytes);
            if (name is not null)
            {
                Console.WriteLine($"{name}: {measured}");
            }

            return measured;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<double> HalfLoad(double recordsPerSecond)
    {
        var folder = Directory.CreateTempSubdirectory("logs-");
        try
        {
            using var silo = await SiloChild.Start(folder.FullName, [.. settings]);
            await LogLoad.Run(() => new HttpConnection(silo.Http), _requests, senders, WarmUp);
            var half = await LogLoad.Run(
                () => new HttpConnection(silo.Http),
                _requests,
                senders,
                duration,
                recordsPerSecond / LogRequests.Records
            );
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"At half load ({half.RecordsPerSecond:0} records/s, {half.Refused} refused): acknowledged after p50 "
                        + $"{half.Milliseconds(0.5):0} ms, p99 {half.Milliseconds(0.99):0} ms."
                )
            );
            return half.Milliseconds(0.99);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static TimeSpan Cpu(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    /// <param name="Cpu">Of the process that took the load, while it went on: the merges that fell into it are in it.</param>
    private sealed record Measured(LoadResult Load, TimeSpan Cpu, long PeakBytes)
    {
        public double CpuPerMillion => Cpu.TotalSeconds / (Load.Acknowledged * LogRequests.Records / 1e6);

        public double PeakMiB => PeakBytes / 1048576.0;

        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Load.RecordsPerSecond:0} records/s, {CpuPerMillion:0.00} CPU-s/million, {Load.Refused} refused, "
                    + $"p50 {Load.Milliseconds(0.5):0} ms, p99 {Load.Milliseconds(0.99):0} ms, {PeakMiB:0} MiB."
            );
    }

    private sealed record Round(Measured Dropped, Measured Durable)
    {
        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Dropped.Load.RecordsPerSecond, 17:0}  {Dropped.CpuPerMillion, 13:0.00}  {Durable.Load.RecordsPerSecond, 17:0}  "
                    + $"{Durable.Load.RecordsPerSecond / Dropped.Load.RecordsPerSecond, 5:0.00}  {Durable.CpuPerMillion, 18:0.00}  "
                    + $"{Durable.PeakMiB, 13:0}  {Durable.Load.Milliseconds(0.5), 6:0}  {Durable.Load.Milliseconds(0.99), 6:0}"
                    + $"{(Durable.Load.Refused > 0 ? $"  ({Durable.Load.Refused} refused)" : "")}"
            );
    }
}
