using System.CommandLine;
using System.Globalization;

namespace Benchmarks.Logs;

/// <summary>
/// OTLP over HTTP into a silo, acknowledged when durable, beside a process that decodes the same requests and drops them. The generator
/// shares the machine's cores with both.
/// </summary>
internal sealed class LogsBenchmark(TimeSpan duration, int senders, string[] settings)
{
    private const double Mark = 1.0 / 2;

    private readonly LogRequests _requests = new(seed: 1);

    public static Command Command()
    {
        var seconds = new Option<int>("--seconds") { Description = "How long each load lasts.", DefaultValueFactory = _ => 10 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
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
            senders,
            settings,
        };
        command.SetAction(
            (result, _) =>
                new LogsBenchmark(
                    TimeSpan.FromSeconds(result.GetValue(seconds)),
                    result.GetValue(senders),
                    [.. result.GetValue(settings)!.Select(setting => $"--{setting}")]
                ).Run(result.GetValue(rounds))
        );
        return command;
    }

    private async Task<int> Run(int rounds)
    {
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Requests of {LogRequests.Records} records of {_requests.BytesPerRecord:0} bytes, {senders} at once, "
                    + $"{duration.TotalSeconds:0} s a load, {rounds} rounds, medians."
            )
        );
        Console.WriteLine(
            "round  dropped records/s  durable records/s  ratio  silo CPU-s/million  silo peak MiB  p50 ms  p99 ms (at full load)"
        );
        List<Round> all = [];
        for (var round = 1; round <= rounds; round++)
        {
            all.Add(await One());
            Console.WriteLine($"{round, 5}  {all[^1]}");
        }

        var ratio = Rounds.Median(all.Select(round => round.Ratio));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The ratio is {ratio:0.00}; the mark is {Mark:0.00}: {(ratio >= Mark ? "kept" : "missed")}."
            )
        );
        await HalfLoad(Rounds.Median(all.Select(round => round.Durable)) / 2);
        await Grpc();
        return ratio >= Mark ? 0 : 1;
    }

    private async Task Grpc()
    {
        var folder = Directory.CreateTempSubdirectory("logs-");
        try
        {
            using var silo = await SiloChild.Start(folder.FullName, [.. settings]);
            await LogLoad.Run(() => new GrpcConnection(silo.Grpc), _requests, senders, TimeSpan.FromSeconds(3));
            var cpu = silo.Cpu;
            var durable = await LogLoad.Run(() => new GrpcConnection(silo.Grpc), _requests, senders, duration);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Over gRPC: {durable.RecordsPerSecond:0} records/s, "
                        + $"{(silo.Cpu - cpu).TotalSeconds / (durable.Acknowledged * LogRequests.Records / 1e6):0.00} "
                        + $"CPU-s/million, {durable.Refused} refused, p50 {durable.Milliseconds(0.5):0} ms, p99 "
                        + $"{durable.Milliseconds(0.99):0} ms; the mark is 60000 records/s."
                )
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task<Round> One()
    {
        LoadResult dropped;
        var (baseline, door) = await DropServer.Start();
        using (baseline)
        {
            await LogLoad.Run(() => new HttpConnection(door), _requests, senders, TimeSpan.FromSeconds(3));
            dropped = await LogLoad.Run(() => new HttpConnection(door), _requests, senders, duration);
            baseline.Kill();
        }

        var folder = Directory.CreateTempSubdirectory("logs-");
        try
        {
            using var silo = await SiloChild.Start(folder.FullName, [.. settings]);
            await LogLoad.Run(() => new HttpConnection(silo.Http), _requests, senders, TimeSpan.FromSeconds(3));
            var cpu = silo.Cpu;
            var durable = await LogLoad.Run(() => new HttpConnection(silo.Http), _requests, senders, duration);
            return new(dropped.RecordsPerSecond, durable, (silo.Cpu - cpu).TotalSeconds, silo.PeakBytes);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task HalfLoad(double recordsPerSecond)
    {
        var folder = Directory.CreateTempSubdirectory("logs-");
        try
        {
            using var silo = await SiloChild.Start(folder.FullName, [.. settings]);
            await LogLoad.Run(() => new HttpConnection(silo.Http), _requests, senders, TimeSpan.FromSeconds(3));
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
                        + $"{half.Milliseconds(0.5):0} ms, p99 {half.Milliseconds(0.99):0} ms; the mark is 1000 ms."
                )
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed record Round(double Dropped, LoadResult Load, double CpuSeconds, long PeakBytes)
    {
        public double Durable => Load.RecordsPerSecond;

        public double Ratio => Durable / Dropped;

        public override string ToString() =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Dropped, 17:0}  {Durable, 17:0}  {Ratio, 5:0.00}  "
                    + $"{CpuSeconds / (Load.Acknowledged * LogRequests.Records / 1e6), 18:0.00}  {PeakBytes / 1048576.0, 13:0}  "
                    + $"{Load.Milliseconds(0.5), 6:0}  "
                    + $"{Load.Milliseconds(0.99), 6:0}{(Load.Refused > 0 ? $"  ({Load.Refused} refused)" : "")}"
            );
    }
}
