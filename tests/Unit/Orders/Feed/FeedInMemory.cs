using Grains.Interfaces.Orders;
using Grains.Orders.Feed;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Orders.Feed;

/// <summary>
/// A feed whose commits a test makes one by one, over rows that it can look at. A restart keeps the rows and nothing else.
/// </summary>
internal sealed class FeedInMemory
{
    private FeedHeadRow _head = new();

    public FeedInMemory() => Restart();

    public FakeTimeProvider Clock { get; } = new(Given.Start);

    public SortedDictionary<string, byte[]> Rows { get; } = new(StringComparer.Ordinal);

    public OrderFeed Feed { get; private set; } = null!;

    public List<CommittedChanges> Announced { get; } = [];

    public FeedHeadRow Head => OrderJson.Read<FeedHeadRow>(Rows[PartitionWriter.HeadKey]);

    /// <summary>
    /// Asks for what <paramref name="decide"/> makes of the order as the feed has it, or as a test says that it was seen.
    /// </summary>
    public Task<FeedReply> Keep(
        OrderId id,
        string step,
        OrderStep kind,
        Func<Order?, Order> decide,
        OrderRefusal refusal = OrderRefusal.None,
        long? seen = null,
        string? mark = null,
        DateTimeOffset? deadline = null
    )
    {
        var entry = Entry(id);
        return Feed.Keep(
            new(new(step), kind, mark ?? kind.ToString(), seen ?? entry.Version, decide(entry.Order), refusal, deadline),
            entry
        );
    }

    public Task<FeedReply> Place(string key, PlaceOrder? asked = null) =>
        Keep(
            Given.Id(key),
            Given.Id(key).Value[3..],
            OrderStep.Place,
            _ => Grains.Orders.Lifecycle.OrderLifecycle.Place(Given.Id(key), asked ?? Given.Asked(), Clock.GetUtcNow()),
            seen: 0
        );

    /// <summary>One commit as the writer makes it; true when it held all that waited.</summary>
    public bool Commit()
    {
        var commit = new CommitBuilder();
        var isAll = Feed.Fill(commit);
        commit.AddHead(RowChange.Put(PartitionWriter.HeadKey, Feed.Head()));
        StoreLimits.CheckCommit(OrderTable.Name, OrderTable.Partition(0), commit.Changes);
        foreach (var change in commit.Changes)
        {
            Assert.False(change.Kind == RowChangeKind.Insert && Rows.ContainsKey(change.Key), $"{change.Key} is there already.");
            if (change.Kind == RowChangeKind.Delete)
            {
                Assert.True(Rows.Remove(change.Key), $"{change.Key} is not there.");
            }
            else
            {
                Rows[change.Key] = change.Payload.ToArray();
            }
        }

        Feed.HeadCommitted();
        commit.Complete();
        return isAll;
    }

    public void Restart()
    {
        Feed?.Lose(new InvalidOperationException("The owner ended."));
        _head = Rows.ContainsKey(PartitionWriter.HeadKey) ? Head : new();
        Feed = new(_head, Clock, Clock, Announced.Add);
    }

    public IEnumerable<KeyValuePair<string, byte[]>> With(string prefix) =>
        Rows.Where(row => row.Key.StartsWith(prefix, StringComparison.Ordinal));

    public List<OrderRow> Orders => [.. With(OrderTable.OrderPrefix).Select(row => OrderJson.Read<OrderRow>(row.Value))];

    /// <summary>As their rows have them.</summary>
    public List<OrderChange> Changes =>
        [.. With(OrderTable.ChangesPrefix).SelectMany(row => OrderJson.Read<ChangesRow>(row.Value).Read(OrderTable.LastRevision(row.Key)))];

    private OrderEntry Entry(OrderId id) =>
        Feed.Orders.Find(id) ?? new(id, Rows.TryGetValue(OrderTable.Order(id), out var row) ? OrderJson.Read<OrderRow>(row) : null);
}
