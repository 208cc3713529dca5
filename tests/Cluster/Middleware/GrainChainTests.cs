using System.Diagnostics.Metrics;
using Grains.Interfaces.Cluster;
using Grains.Storage;
using Orleans.TestingHost;
using Silo.Middleware;
using Silo.Middleware.Grains;
using Xunit;

namespace Cluster.Middleware;

/// <summary>What calls of grains pass, on a silo of the testing host with the chain as it is in production.</summary>
public sealed class GrainChainTests : IAsyncLifetime
{
    private readonly InProcessTestCluster _cluster;

    public GrainChainTests()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => silo.AddGrainChain());
        builder.ConfigureClient(client => client.AddGrainChain());
        _cluster = builder.Build();
    }

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task WhatTheStoreThrewGoesOutAsAskAgain()
    {
        var told = await Assert.ThrowsAsync<TryAgainException>(() => Probe.LoseThePartition());
        Assert.Equal("The store did not take it, or did not say that it did. Ask again.", told.Message);
    }

    [Fact]
    public async Task BetweenGrainsWhatTheStoreThrewGoesThrough() =>
        Assert.Equal(nameof(PartitionLostException), await Probe.AskAnotherToLose());

    [Fact]
    public async Task WhatIsNotTheStoresGoesThrough() => await Assert.ThrowsAsync<InvalidOperationException>(() => Probe.Fail());

    [Fact]
    public async Task ADeadlineIsToldToTheFirstGrainAndDoesNotGoOn()
    {
        Assert.Null(await Probe.Deadline());
        Assert.Null(await Probe.DeadlineOfAnother());
    }

    [Fact]
    public async Task ACallWhoseCallerHasGivenUpIsNotBegun()
    {
        var late = DateTimeOffset.UnixEpoch.UtcTicks;
        await Assert.ThrowsAsync<TimeoutException>(() => Probe.CallAnotherWithDeadline(late));
    }

    [Fact]
    public async Task CallsAreMeasuredByInterfaceAndMethod()
    {
        var seen = new List<(string?, string?, object?)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, to) =>
        {
            if (instrument.Meter.Name == CallMetrics.Meter)
            {
                to.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>(
            (_, _, tags, _) =>
            {
                lock (seen)
                {
                    seen.Add((tags[0].Value?.ToString(), tags[1].Value?.ToString(), tags[2].Value));
                }
            }
        );
        listener.Start();

        await Probe.Deadline();
        await Assert.ThrowsAsync<InvalidOperationException>(() => Probe.Fail());

        lock (seen)
        {
            Assert.Contains((typeof(IProbeGrain).FullName, "Deadline", false), seen);
            Assert.Contains((typeof(IProbeGrain).FullName, "Fail", true), seen);
        }
    }

    private IProbeGrain Probe => _cluster.Client.GetGrain<IProbeGrain>(0);
}

/// <summary>A grain that does as it is told. The key is any number.</summary>
public interface IProbeGrain : IGrainWithIntegerKey
{
    Task LoseThePartition();

    Task<string> AskAnotherToLose();

    Task Fail();

    /// <summary>What the chain left of the deadline in the call's context.</summary>
    Task<long?> Deadline();

    Task<long?> DeadlineOfAnother();

    Task CallAnotherWithDeadline(long ticks);
}

public sealed class ProbeGrain : Grain, IProbeGrain
{
    private IProbeGrain Another => GrainFactory.GetGrain<IProbeGrain>(this.GetPrimaryKeyLong() + 1);

    public Task LoseThePartition() =>
        Task.FromException(new PartitionLostException("table", "partition", CommitResult.Unknown(new IOException("Gone."))));

    public async Task<string> AskAnotherToLose()
    {
        try
        {
            await Another.LoseThePartition();
            return "nothing";
        }
        catch (Exception failure)
        {
            return failure.GetType().Name;
        }
    }

    public Task Fail() => Task.FromException(new InvalidOperationException("No."));

    public Task<long?> Deadline() => Task.FromResult(RequestContext.Get(global::Silo.Middleware.Grains.Deadline.Key) as long?);

    public Task<long?> DeadlineOfAnother() => Another.Deadline();

    public Task CallAnotherWithDeadline(long ticks)
    {
        RequestContext.Set(global::Silo.Middleware.Grains.Deadline.Key, ticks);
        return Another.Deadline();
    }
}
