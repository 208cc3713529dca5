using Cluster.Crawling;
using Doubles;
using Doubles.Storage;
using Grains;
using Grains.Interfaces.Books;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.TestingHost;
using Silo.Cluster;
using Silo.Orders;
using Xunit;

namespace Cluster.Orders;

/// <summary>
/// A silo with orders as it is wired in production, on a store in memory and two clocks that only the test moves (<see cref="Clocks"/>).
/// One per class; each test has orders and customers of its own.
/// </summary>
public class OrderCluster : IAsyncLifetime
{
    public const int Partitions = 4;

    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Changes and deliveries are kept for so long: more than passes while a test waits for something, and less than passes where it says
    /// so.
    /// </summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(1000);

    private readonly InProcessTestCluster _cluster;
    private readonly Guid _id = Guid.NewGuid();
    private int _keys;

    public OrderCluster()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => Configure(silo));
        builder.ConfigureClient(client => client.AddActivityPropagation());
        _cluster = builder.Build();
    }

    /// <summary>Of the schedule: what says when something becomes due.</summary>
    public VirtualClock Clock { get; } = new(Start);

    /// <summary>Of time-outs and deadlines of what is under way: it stands still unless a test is about them.</summary>
    public VirtualClock Guards { get; } = new(Start);

    public FlakyTableStore Store { get; } = new();

    public CrawlCluster.LostEvents Lost { get; } = new();

    public IGrainFactory Grains => _cluster.Client;

    public OrderDesk Desk { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        await _cluster.DeployAsync();
        Desk = new(_cluster.Client);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// No other test has it, of this cluster or another: listeners of all clusters write down what they hear in one place.
    /// </summary>
    public IdempotencyKey NewKey() => IdempotencyKey.Of("test", $"{_id:N} {Interlocked.Increment(ref _keys)}");

    public ISubscriberListGrain Subscribers => Grains.GetGrain<ISubscriberListGrain>(0);

    public IOrderFeedGrain Feed(int partition) => Grains.GetGrain<IOrderFeedGrain>(partition);

    /// <summary>Two pots of tea.</summary>
    public static PlaceOrder Asked(string customer = "ann", DateTimeOffset? payBefore = null) =>
        new()
        {
            Customer = customer,
            Currency = "EUR",
            Lines = [new("tea", 2, 450)],
            PayBefore = payBefore,
        };

    public async Task<Order> Placed(PlaceOrder? asked = null)
    {
        var reply = await Desk.Place(NewKey(), asked ?? Asked());
        Assert.Equal(OrderRefusal.None, reply.Refusal);
        return reply.Order!;
    }

    public Task<OrderReply> Take(
        OrderId id,
        OrderStep step,
        IdempotencyKey? key = null,
        long? expected = null,
        DateTimeOffset? deadline = null
    ) => Desk.Order(id).Take(new(step, (key ?? NewKey()).StepId, expected, deadline));

    public Task Deactivate(IAddressable grain) => _cluster.DeactivateAsync(grain);

    /// <summary>Stops the silo as Ctrl-C does, and starts another one on the same store, with a client of its own.</summary>
    public async Task Restart()
    {
        await _cluster.StopClusterClientAsync();
        await _cluster.StopSiloAsync(_cluster.Silos[0]);
        await _cluster.StartSilosAsync(1);
        await _cluster.InitializeClientAsync();
        Desk = new(_cluster.Client);
        await OrdersHosting.Wake(_cluster.Client, CancellationToken.None);
        await Subscribers.Wake();
    }

    /// <summary>Every committed change of a partition that is kept, by a fresh reading.</summary>
    public async Task<List<OrderChange>> Changes(int partition, int take = 7)
    {
        var (changes, from) = (new List<OrderChange>(), 1L);
        while (true)
        {
            var read = await Feed(partition).Read(from, take);
            if (read.IsCompacted && changes.Count == 0)
            {
                from = read.Next; // Another test of the class let years pass.
                continue;
            }

            Assert.False(read.IsCompacted);
            if (read.Changes.IsEmpty)
            {
                return changes;
            }

            changes.AddRange(read.Changes);
            from = read.Next;
        }
    }

    public async Task<List<OrderChange>> ChangesOf(OrderId id) => [.. (await Changes(id.Partition)).Where(change => change.OrderId == id)];

    public async Task<Account> Account() =>
        (
            await new OrdersAccounts(
                Grains,
                Microsoft.Extensions.Options.Options.Create(new OrdersOptions { Partitions = Partitions })
            ).Read(CancellationToken.None)
        ).Single();

    /// <summary>The rows of one order, by the beginnings of their keys.</summary>
    public async Task<string[]> RowsOf(OrderId id)
    {
        var rows = await Store.Scan(OrderTable.Name, OrderTable.Partition(id.Partition), KeyRange.All, StoreLimits.MaxScan);
        return [.. rows.Where(row => row.Key.EndsWith(id.Value, StringComparison.Ordinal)).Select(row => row.Key.Split('.')[0])];
    }

    /// <summary>The subscribers: none, unless a class of tests has some.</summary>
    protected virtual void AddSubscribers(IServiceCollection services) { }

    private void Configure(ISiloBuilder silo)
    {
        silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
        silo.Services.AddSingleton<TimeProvider>(Clock);
        silo.Services.AddKeyedSingleton<TimeProvider>(Clocks.Guards, Guards);
        silo.Services.AddSingleton<ITableStore>(Store);
        silo.Services.AddSingleton<OrdersMetrics>();
        silo.Services.Configure<OrdersOptions>(orders =>
            (orders.Partitions, orders.KeepChanges, orders.KeepDeliveries) = (Partitions, Kept, Kept)
        );
        OrdersHosting.AddWatches(silo.Services);
        silo.Services.AddSingleton<MailStore>();
        silo.Services.AddSingleton<SubscriberCatalog>();
        silo.Services.AddSingleton<Func<double>>(() => 0);
        AddSubscribers(silo.Services);
        silo.AddFastStreams(OrderStreams.Provider);
        silo.AddOutgoingGrainCallFilter(Lost);
        silo.AddActivityPropagation();
        silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Error));
    }
}
