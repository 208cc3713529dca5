using System.Buffers;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Storage;

namespace Grains.Orders.Rows;

/// <summary>Where orders are kept: one table, a partition for each of the feed's, and what its rows are called.</summary>
/// <remarks>
/// <code>
/// h                            the head: fence, revisions, counters
/// o.{id}                       an order, and the steps that were asked of it
/// r.{last revision}            the changes of one commit, up to that revision
/// c.{hash of customer}.{t}.{id} an order by customer, newest first; t is counted back from when it was placed
/// s.{status}.{t}.{id}          an order by status, newest first
/// d.{due}.{id}                 an order that cancels itself then
/// u.{name}                     a subscriber and its cursor
/// </code>
/// Other rows of a subscriber's are in partitions of its own.
/// </remarks>
public static class OrderTable
{
    public const string Name = "orders";

    public const string OrderPrefix = "o.";

    public const string ChangesPrefix = "r.";

    public const string DuePrefix = "d.";

    public const string SubscriberPrefix = "u.";

    private const int Digits = 16;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    public static string Partition(int number) => number.ToString("feed.00", CultureInfo.InvariantCulture);

    public static string Order(OrderId id) => OrderPrefix + id.Value;

    public static string Changes(long lastRevision) => string.Create(CultureInfo.InvariantCulture, $"{ChangesPrefix}{lastRevision:x16}");

    /// <summary>The rows that hold the revision and those after it.</summary>
    public static KeyRange ChangesFrom(long revision) => KeyRange.Prefix(ChangesPrefix) with { From = Changes(revision) };

    public static long LastRevision(string changesKey) =>
        long.Parse(changesKey.AsSpan(ChangesPrefix.Length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>What stands in both indexes: its place among those of a customer or status.</summary>
    public static string Place(Order order) =>
        string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.MaxValue.UtcTicks - order.PlacedAt.UtcTicks:x16}.{order.Id.Value}");

    public static bool IsPlace(string text) =>
        text.Length == Digits + 1 + OrderId.Length
        && text[Digits] == '.'
        && !text.AsSpan(0, Digits).ContainsAnyExcept(HexDigits)
        && OrderId.TryParse(text[(Digits + 1)..], out _);

    public static OrderId IdIn(string place) => new(place[^OrderId.Length..]);

    public static string CustomerPrefix(string customer) => $"c.{StoreLimits.HashKey(customer)}.";

    public static string StatusPrefix(OrderStatus status) => $"s.{status.ToString().ToLowerInvariant()}.";

    public static string Due(DateTimeOffset at, OrderId id) =>
        string.Create(CultureInfo.InvariantCulture, $"{DuePrefix}{at.UtcTicks:x16}.{id.Value}");

    /// <summary>What is due at that time or was before.</summary>
    public static KeyRange DueUntil(DateTimeOffset now) =>
        KeyRange.Prefix(DuePrefix) with
        {
            To = string.Create(CultureInfo.InvariantCulture, $"{DuePrefix}{now.UtcTicks + 1:x16}"),
        };

    public static (DateTimeOffset At, OrderId Id) DueIn(string key) =>
        (
            new(
                long.Parse(key.AsSpan(DuePrefix.Length, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                TimeSpan.Zero
            ),
            new(key[^OrderId.Length..])
        );

    public static string Subscriber(string name) => SubscriberPrefix + name;
}
