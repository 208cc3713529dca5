using System.Collections.Concurrent;
using Doubles;
using Grains;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Providers;
using Orleans.Streams;
using Orleans.Streams.Core;
using Orleans.TestingHost;
using Silo.Cluster;
using Xunit;

namespace Cluster;

[Alias("Cluster.INumbersListener")]
public interface INumbersListener : IGrainWithIntegerKey;

/// <summary>Hears what is published as <see cref="StreamQueueTests.Numbers"/>.</summary>
[ImplicitStreamSubscription(StreamQueueTests.Numbers)]
public sealed class NumbersListener : Grain, INumbersListener, IStreamSubscriptionObserver
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<int>()
            .ResumeAsync(events =>
            {
                foreach (var one in events)
                {
                    StreamQueueTests.Heard.TryAdd(one.Item, 0);
                }

                return Task.CompletedTask;
            });
}

/// <summary>Streams in memory whose readers wait: two silos, as a queue and its reader may be in different ones.</summary>
public sealed class StreamQueueTests : IAsyncLifetime
{
    public const string Numbers = "tests.numbers";

    private const string Provider = "tests";

    private readonly InProcessTestCluster _cluster;

    /// <summary>Readers that came to a queue, and those that were answered.</summary>
    private readonly ConcurrentDictionary<GrainId, int> _arrived = new();
    private readonly ConcurrentDictionary<GrainId, int> _answered = new();

    public StreamQueueTests()
    {
        var builder = new InProcessTestClusterBuilder(2);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo(
            (_, silo) =>
            {
                silo.Services.TryAddGuards();
                silo.AddFastStreams(Provider);
                silo.AddIncomingGrainCallFilter(async context =>
                {
                    var call = context.Invoke();
                    var isReader = context.MethodName == nameof(IMemoryStreamQueueGrain.Dequeue);
                    if (isReader)
                    {
                        _arrived.AddOrUpdate(context.TargetId, 1, (_, count) => count + 1);
                    }

                    await call;
                    if (isReader)
                    {
                        _answered.AddOrUpdate(context.TargetId, 1, (_, count) => count + 1);
                    }
                });
            }
        );
        _cluster = builder.Build();
    }

    public static ConcurrentDictionary<int, byte> Heard { get; } = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task AReaderWaitsForTheFirstEvent()
    {
        var queue = Queue();
        var reading = queue.Dequeue(10);
        await Arrived(queue, 1);
        await queue.Enqueue(Event(1));

        Assert.Single(await reading.WaitAsync(Cancel));
    }

    [Fact]
    public async Task AReaderThatIsGoneTakesNoEventsFromTheNextOne()
    {
        var queue = Queue();
        var gone = queue.Dequeue(10);
        await Arrived(queue, 1);
        var next = queue.Dequeue(10);
        await Arrived(queue, 2);
        await queue.Enqueue(Event(1));

        Assert.Single(await next.WaitAsync(Cancel));
        Assert.Empty(await gone.WaitAsync(Cancel));
    }

    [Fact]
    public async Task AReaderThatGivesUpEndsItsWaitAndTakesNoEvents()
    {
        var queue = Queue();
        using var stop = new CancellationTokenSource();
        var reading = queue.Dequeue(10, stop.Token);
        await Arrived(queue, 1);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Cancel));
        await VirtualClock.StandUntil("the wait to end", () => _answered.GetValueOrDefault(queue.GetGrainId()) == 1);
        await queue.Enqueue(Event(1));

        Assert.Single(await queue.Dequeue(10));
    }

    [Fact]
    public async Task EventsOfEachSiloReachConsumersOnBoth()
    {
        var sent = 0;
        foreach (var silo in _cluster.Silos)
        {
            var streams = silo.ServiceProvider.GetRequiredKeyedService<IStreamProvider>(Provider);
            for (var stream = 0; stream < 20; stream++)
            {
                await streams.GetStream<int>(StreamId.Create(Numbers, stream)).OnNextAsync(sent++);
            }
        }

        await VirtualClock.StandUntil("every event to be heard", () => Heard.Count == sent);
    }

    private Task Arrived(IMemoryStreamQueueGrain queue, int readers) =>
        VirtualClock.StandUntil("a reader to wait", () => _arrived.GetValueOrDefault(queue.GetGrainId()) == readers);

    private IMemoryStreamQueueGrain Queue() => _cluster.Client.GetGrain<IMemoryStreamQueueGrain>(Guid.NewGuid());

    private static MemoryMessageData Event(byte content) => new() { StreamId = StreamId.Create(Numbers, 0), Payload = new([content]) };
}
