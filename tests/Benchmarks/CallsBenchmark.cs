using System.CommandLine;
using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Silo.Middleware;

namespace Benchmarks;

/// <summary><c>calls</c>: calls a second between grains of one silo, without the chain and with it, turn by turn in one run.</summary>
internal static class CallsBenchmark
{
    private const int AtOnce = 64;
    private const int CallsOfOne = 4000;
    private const int Rounds = 5;

    public static Command Command()
    {
        var command = new Command("calls", "Calls between grains of one silo, without the chain and with it.");
        command.SetAction(async (_, cancel) => FigureTable.Print(await Measure(cancel)));
        return command;
    }

    public static async Task<IReadOnlyList<Figure>> Measure(CancellationToken cancel)
    {
        Console.WriteLine($"Calls between grains of one silo, {AtOnce} at once, {Rounds} rounds.");
        await using var bare = await Start(port: 18_900, silo => { }, cancel);
        await using var chained = await Start(port: 18_910, silo => silo.AddGrainChain(), cancel);
        var rates = (Bare: new List<double>(), Chained: new List<double>());
        await Rate(bare);
        await Rate(chained);
        for (var round = 0; round < Rounds; round++)
        {
            rates.Bare.Add(await Rate(bare));
            rates.Chained.Add(await Rate(chained));
        }

        return [new("calls", "calls/s, with the chain, beside without it", rates.Chained, rates.Bare)];
    }

    private static async Task<double> Rate(WebApplication app)
    {
        var grains = app.Services.GetRequiredService<IGrainFactory>();
        var since = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(i => grains.GetGrain<ICallerGrain>(i).CallOften(CallsOfOne)));
        return AtOnce * CallsOfOne / Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    private static async Task<WebApplication> Start(int port, Action<ISiloBuilder> add, CancellationToken cancel)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(port, port + 1);
            silo.Configure<ClusterOptions>(cluster => cluster.ClusterId = $"calls-{port}");
            add(silo);
        });
        var app = builder.Build();
        await app.StartAsync(cancel);
        return app;
    }
}

/// <summary>Calls its neighbour. The key is any number.</summary>
public interface ICallerGrain : IGrainWithIntegerKey
{
    Task CallOften(int times);
}

/// <summary>Answers. The key is any number.</summary>
public interface IAnswerGrain : IGrainWithIntegerKey
{
    Task<int> Add(int one);
}

public sealed class CallerGrain : Grain, ICallerGrain
{
    public async Task CallOften(int times)
    {
        var neighbour = GrainFactory.GetGrain<IAnswerGrain>(this.GetPrimaryKeyLong());
        for (var i = 0; i < times; i++)
        {
            await neighbour.Add(i);
        }
    }
}

public sealed class AnswerGrain : Grain, IAnswerGrain
{
    public Task<int> Add(int one) => Task.FromResult(one + 1);
}
