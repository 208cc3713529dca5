using System.Collections.Concurrent;
using System.CommandLine;
using System.Diagnostics;
using System.Net;
using Doubles;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Streams;
using Orleans.Streams.Core;
using Silo.Cluster;

namespace Benchmarks;

/// <summary>
/// <c>idle</c>: what a silo with nothing to do takes of a core, beside a bare Orleans silo in the same kind of host, measured at the same
/// time; and how long the first event after a pause takes to its consumer, published at each of two silos.
/// </summary>
internal sealed class IdleBenchmark(int rounds, TimeSpan span)
{
    private const double MarkPercent = 0.5;

    private static readonly TimeSpan MarkFirst = TimeSpan.FromMilliseconds(50);

    /// <summary>What is compiled and set up at first does not count.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(45);

    /// <summary>An event that takes longer is lost.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(15);

    /// <summary>Between two events, so that each is a first one.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static Command Command()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds; medians are shown.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<int>("--seconds") { Description = "Of one round.", DefaultValueFactory = _ => 20 };
        var command = new Command("idle", "Processor time of a silo with nothing to do, and the time of a first event.")
        {
            rounds,
            seconds,
        };
        command.SetAction(
            async (result, cancel) =>
                FigureTable.Print(
                    await new IdleBenchmark(result.GetValue(rounds), TimeSpan.FromSeconds(result.GetValue(seconds))).Measure(cancel)
                )
        );
        return command;
    }

    /// <summary>The baseline: a silo without anything, in a host with an HTTP endpoint.</summary>
    public static Command BareCommand()
    {
        var command = new Command("idle-bare", "The baseline of \"idle\", which starts it.") { Hidden = true };
        command.SetAction(
            async (_, cancel) =>
            {
                var ports = Unique.Ports(2);
                await using var bare = await Start(ports[0], ports[1], primary: null, static _ => { }, cancel);
                Console.WriteLine("Ready");
                await Task.Delay(Timeout.Infinite, cancel);
            }
        );
        return command;
    }

    public async Task<IReadOnlyList<Figure>> Measure(CancellationToken cancel)
    {
        Console.WriteLine($"A silo with nothing to do, {rounds} rounds of {span.TotalSeconds:0} s; then first events of two silos.");
        return [.. await Processor(cancel), .. await FirstEvents(cancel)];
    }

    private async Task<Figure[]> Processor(CancellationToken cancel)
    {
        var folder = Unique.Folder("idle-benchmark");
        List<double> ours = [],
            bares = [];
        using var bare = await StartBare();
        try
        {
            using var silo = await SiloChild.Start(folder);
            await Task.Delay(Settle, cancel);
            for (var round = 0; round < rounds; round++)
            {
                var since = Stopwatch.GetTimestamp();
                var (siloBefore, bareBefore) = (silo.Cpu, Cpu(bare));
                await Task.Delay(span, cancel);
                var took = Stopwatch.GetElapsedTime(since);
                ours.Add(100 * (silo.Cpu - siloBefore) / took);
                bares.Add(100 * (Cpu(bare) - bareBefore) / took);
            }
        }
        finally
        {
            bare.Kill();
            Directory.Delete(folder, recursive: true);
        }

        return
        [
            new("idle", "% of a core, beside a bare Orleans silo", ours, bares) { IsCost = true },
            new("idle", "% of a core above the bare silo", ours.Zip(bares, (one, other) => one - other)) { AtMost = MarkPercent },
        ];
    }

    private static async Task<Figure[]> FirstEvents(CancellationToken cancel)
    {
        var ports = Unique.Ports(4);
        await using var one = await Start(ports[0], ports[1], primary: null, Streams, cancel);
        await using var other = await Start(ports[2], ports[3], new(IPAddress.Loopback, ports[0]), Streams, cancel);
        await Task.Delay(Settle, cancel); // The queues find their readers when a silo joins.
        List<double> times = [];
        for (var stream = 0; stream < 16; stream++)
        {
            foreach (var silo in new[] { one, other })
            {
                var published = silo
                    .Services.GetRequiredKeyedService<IStreamProvider>(FirstEventGrain.Provider)
                    .GetStream<int>(StreamId.Create(FirstEventGrain.Events, stream));
                await Send(published, cancel); // Finds the consumer.
                await Task.Delay(Pause, cancel);
                times.Add((await Send(published, cancel)).TotalMilliseconds);
            }
        }

        return
        [
            new("idle", "first event, median, ms", [Rounds.Median(times)]),
            new("idle", "first event, the slowest, ms", [times.Max()]) { AtMost = MarkFirst.TotalMilliseconds },
        ];
    }

    private static async Task<TimeSpan> Send(IAsyncStream<int> stream, CancellationToken cancel)
    {
        var number = Random.Shared.Next();
        var heard = FirstEventGrain.Expect(number);
        var since = Stopwatch.GetTimestamp();
        await stream.OnNextAsync(number);
        await heard.WaitAsync(MaxWait, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Stopwatch.GetElapsedTime(since);
    }

    private static void Streams(ISiloBuilder silo) => silo.AddFastStreams(FirstEventGrain.Provider);

    private static TimeSpan Cpu(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
    }

    private static async Task<Process> StartBare()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(IdleBenchmark).Assembly.Location, "idle-bare"])
        {
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
        return await process.StandardOutput.ReadLineAsync() is "Ready"
            ? process
            : throw new InvalidOperationException("The baseline ended before it was ready.");
    }

    private static async Task<WebApplication> Start(
        int siloPort,
        int gatewayPort,
        IPEndPoint? primary,
        Action<ISiloBuilder> add,
        CancellationToken cancel
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(siloPort, gatewayPort, primary);
            silo.Configure<Orleans.Configuration.ClusterOptions>(cluster => cluster.ClusterId = $"idle-{primary?.Port ?? siloPort}");
            add(silo);
        });
        var app = builder.Build();
        await app.StartAsync(cancel);
        return app;
    }
}

/// <summary>A consumer's key is any number.</summary>
public interface IFirstEventGrain : IGrainWithIntegerKey;

/// <summary>Tells when an event came.</summary>
[ImplicitStreamSubscription(Events)]
public sealed class FirstEventGrain : Grain, IFirstEventGrain, IStreamSubscriptionObserver
{
    public const string Provider = "idle";
    public const string Events = "idle.events";

    private static readonly ConcurrentDictionary<int, TaskCompletionSource> Expected = new();

    public static Task Expect(int number) => Expected.GetOrAdd(number, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<int>()
            .ResumeAsync(events =>
            {
                foreach (var one in events)
                {
                    if (Expected.TryRemove(one.Item, out var heard))
                    {
                        heard.TrySetResult();
                    }
                }

                return Task.CompletedTask;
            });
}
