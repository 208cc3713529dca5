using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Consumers;

/// <summary>
/// A desk whose commits a test makes one by one, over rows that it can look at. A restart keeps the rows and nothing else.
/// </summary>
internal sealed class SchedulerInMemory : IOrderSubscriber
{
    private readonly SubscriberRules _rules;
    private readonly bool _hasNoteTaker;
    private SubscriberHeadRow _head = new() { Cursor = 1 };
    private long _revision;
    private readonly Dictionary<string, Order> _orders = new(StringComparer.Ordinal);

    public SchedulerInMemory(SubscriberRules? rules = null, bool hasNoteTaker = false)
    {
        _hasNoteTaker = hasNoteTaker;
        _rules = rules
            ?? new()
            {
                Name = "it",
                AtOnce = 2,
                Backoff = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)],
            };
        Restart();
    }

    public FakeTimeProvider Clock { get; } = new(Given.Start);

    public SortedDictionary<string, byte[]> Rows { get; } = new(StringComparer.Ordinal);

    public DeliveryScheduler Scheduler { get; private set; } = null!;

    public SubscriberHeadRow Head => OrderJson.Read<SubscriberHeadRow>(Rows[PartitionWriter.HeadKey]);

    public string[] Keys =>
        [
            .. Rows
                .Keys.Where(key => key != PartitionWriter.HeadKey)
                .Select(key =>
                    key[..1] is "w" ? $"w.{Convert.ToInt64(key[^16..], 16)}"
                    : key[..1] is "d" ? $"d.{Convert.ToInt64(key[^16..], 16)}"
                    : key
                ),
        ];

    public ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>The order's next change, under the next revision.</summary>
    public OrderChange Next(string key)
    {
        _orders[key] = _orders.TryGetValue(key, out var order)
            ? order with
            {
                Version = order.Version + 1,
                Status = OrderStatus.Paid,
            }
            : Given.Placed(key);
        return new(++_revision, _orders[key], null, null);
    }

    /// <summary>Takes changes of these orders.</summary>
    public void Take(params string[] keys) => Scheduler.Take([.. keys.Select(Next)]);

    /// <summary>Begins all that may be begun now; answers their revisions.</summary>
    public List<ChangeItem> Begin()
    {
        var begun = new List<ChangeItem>();
        while (Scheduler.Begin() is { } item)
        {
            begun.Add(item);
        }

        return begun;
    }

    public long[] Begun() => [.. Begin().Select(item => item.Revision)];

    public void HandleAll(DeliveryResult handled)
    {
        while (Scheduler.Begin() is { } item)
        {
            Scheduler.Finish(item, handled);
        }
    }

    public void Commit()
    {
        for (var more = true; more; )
        {
            var commit = new CommitBuilder();
            more = !Scheduler.Fill(commit);
            commit.AddHead(RowChange.Put(PartitionWriter.HeadKey, OrderJson.Write(_head)));
            StoreLimits.CheckCommit(SubscriberTable.Name, "it.00", commit.Changes);
            foreach (var change in commit.Changes)
            {
                if (change.Kind == RowChangeKind.Delete)
                {
                    Assert.True(Rows.Remove(change.Key), $"{change.Key} is not there.");
                }
                else
                {
                    Rows[change.Key] = change.Payload.ToArray();
                }
            }

            commit.Complete();
            Assert.Equal(_head.In, _head.Done + _head.AllDead + _head.Discarded + _head.Waiting);
        }
    }

    public void Restart()
    {
        _head = Rows.ContainsKey(PartitionWriter.HeadKey) ? Head : new() { Cursor = 1 };
        Scheduler = new(_rules, this, _head, Clock, () => 0, _hasNoteTaker);
        foreach (
            var (key, row) in Rows.Where(row => row.Key.StartsWith(SubscriberTable.WaitingPrefix, StringComparison.Ordinal))
                .Select(row => (row.Key, OrderJson.Read<KeptChangeRow>(row.Value)))
                .OrderBy(row => row.Item2.Revision)
        )
        {
            Scheduler.Restore(key, row);
        }
    }
}
