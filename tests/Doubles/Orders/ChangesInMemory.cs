using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Watch;

namespace Doubles.Orders;

/// <summary>
/// A feed of several partitions in memory, for hubs: a test commits, and says what is announced, compacted or out of reach.
/// </summary>
public sealed class ChangesInMemory(int partitions) : IOrderChanges
{
    private readonly Lock _gate = new();
    private readonly List<OrderChange>[] _changes = [.. Enumerable.Range(0, partitions).Select(_ => new List<OrderChange>())];
    private readonly long[] _lowest = [.. Enumerable.Repeat(1L, partitions)];
    private readonly Action<OrdersChanged>?[] _heard = new Action<OrdersChanged>?[partitions];
    private readonly Dictionary<OrderId, Order> _orders = [];
    private readonly List<(int Partition, long From)> _reads = [];
    private readonly Dictionary<int, TaskCompletionSource> _listening = [];
    private int _heads;

    /// <summary>What every call fails with, while it is set.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Called before each read.</summary>
    public Func<int, long, Task> OnRead { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Reads of the feed so far.</summary>
    public IReadOnlyList<(int Partition, long From)> Reads
    {
        get
        {
            lock (_gate)
            {
                return [.. _reads];
            }
        }
    }

    public int Heads => _heads;

    /// <summary>An id in a partition: the same for the same number.</summary>
    public static OrderId Id(int partition, int number) =>
        OrderId.Parse($"{partition:00}-{number.ToString("D26", System.Globalization.CultureInfo.InvariantCulture)}");

    /// <summary>The next version of an order, announced.</summary>
    public OrderChange Commit(OrderId id)
    {
        var change = CommitInSilence(id);
        Announce(id.Partition, change.Revision, change.Revision);
        return change;
    }

    /// <summary>The next version of an order; the announcement is lost.</summary>
    public OrderChange CommitInSilence(OrderId id)
    {
        lock (_gate)
        {
            var before = _orders.GetValueOrDefault(id);
            var at = DateTimeOffset.UnixEpoch.AddSeconds(_changes[id.Partition].Count);
            var order = before is null
                ? new Order
                {
                    Id = id,
                    Version = 1,
                    Status = OrderStatus.Placed,
                    Customer = "ann",
                    Currency = "EUR",
                    Lines = [new("tea", 2, 450)],
                    Total = 900,
                    PlacedAt = at,
                    UpdatedAt = at,
                }
                : before with
                {
                    Version = before.Version + 1,
                    Status = (OrderStatus)(before.Version % 4),
                    UpdatedAt = at,
                };
            _orders[id] = order;
            var change = new OrderChange(_changes[id.Partition].Count + 1, order, before?.Status, before?.UpdatedAt);
            _changes[id.Partition].Add(change);
            return change;
        }
    }

    /// <summary>Tells whoever listens, now.</summary>
    /// <param name="empty">As if they were too large for an event.</param>
    public void Announce(int partition, long first, long last, bool empty = false) =>
        _heard[partition]
            ?.Invoke(new(partition, first, last, empty ? [] : [.. _changes[partition].Skip((int)first - 1).Take((int)(last - first + 1))]));

    /// <summary>Everything below is not kept any more.</summary>
    public void Compact(int partition, long lowest) => _lowest[partition] = lowest;

    /// <summary>Ends when somebody listens to the partition.</summary>
    public Task Listening(int partition) => Heard(partition).Task;

    public Task<int> Partitions(CancellationToken cancel) => Task.FromResult(partitions);

    public async Task<OrderChanges> Read(int partition, long from, int take, CancellationToken cancel)
    {
        lock (_gate)
        {
            _reads.Add((partition, from));
        }

        await OnRead(partition, from);
        Fail();
        lock (_gate)
        {
            var head = (long)_changes[partition].Count;
            if (from < _lowest[partition])
            {
                return new([], head, _lowest[partition], _lowest[partition]) { IsCompacted = true };
            }

            var changes = _changes[partition].Skip((int)from - 1).Take(take).ToImmutableArray();
            return new(changes, head, _lowest[partition], from + changes.Length);
        }
    }

    public Task<FeedHead> Head(int partition, CancellationToken cancel)
    {
        Interlocked.Increment(ref _heads);
        Fail();
        lock (_gate)
        {
            return Task.FromResult(new FeedHead(_changes[partition].Count, _lowest[partition], 0));
        }
    }

    public Task Listen(int partition, Action<OrdersChanged> heard, CancellationToken cancel)
    {
        Fail();
        _heard[partition] = heard;
        Heard(partition).TrySetResult();
        return Task.CompletedTask;
    }

    private TaskCompletionSource Heard(int partition)
    {
        lock (_gate)
        {
            return _listening.TryGetValue(partition, out var known)
                ? known
                : _listening[partition] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private void Fail()
    {
        if (Failure is { } failure)
        {
            throw failure;
        }
    }
}
