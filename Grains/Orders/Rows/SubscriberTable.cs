using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Storage;

namespace Grains.Orders.Rows;

/// <summary>Where subscribers keep what they know: one table, a partition for each subscriber and partition of orders.</summary>
/// <remarks>
/// <code>
/// h                      the head: fence, cursor, counters, the subscriber's own state
/// w.{due}.{revision}     a change that waits to be tried again then
/// d.{revision}           a dead letter
/// n.{number}             a note that the audit has yet to be told
/// s.{source}             the last number that was recorded of a source of notes
/// v.{order}.{version}    what became of a delivery: of subscribers that have a channel
/// x.{when}.{first}       the keys of the deliveries that one commit was done with, for when they are not kept any more
/// </code>
/// All other rows are the subscriber's own.
/// </remarks>
public static class SubscriberTable
{
    public const string Name = "ordersubscribers";

    public const string WaitingPrefix = "w.";

    public const string DeadPrefix = "d.";

    public const string NotePrefix = "n.";

    public const string SourcePrefix = "s.";

    public const string DeliveryPrefix = "v.";

    public const string ExpiryPrefix = "x.";

    public static string Partition(SubscriberKey key) => string.Create(CultureInfo.InvariantCulture, $"{key.Name}.{key.Partition:00}");

    public static string Waiting(DateTimeOffset due, long revision) =>
        string.Create(CultureInfo.InvariantCulture, $"{WaitingPrefix}{due.UtcTicks:x16}.{revision:x16}");

    public static DateTimeOffset DueIn(string key) =>
        new(long.Parse(key.AsSpan(WaitingPrefix.Length, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), TimeSpan.Zero);

    public static string Dead(long revision) => string.Create(CultureInfo.InvariantCulture, $"{DeadPrefix}{revision:x16}");

    public static KeyRange DeadFrom(long revision) => KeyRange.Prefix(DeadPrefix) with { From = Dead(revision) };

    public static string Note(long number) => string.Create(CultureInfo.InvariantCulture, $"{NotePrefix}{number:x16}");

    public static string Source(string source) => SourcePrefix + StoreLimits.HashKey(source);

    public static string Delivery(OrderId order, long version) =>
        string.Create(CultureInfo.InvariantCulture, $"{DeliveryPrefix}{order.Value}.{version:x8}");

    public static KeyRange DeliveriesOf(OrderId order) => KeyRange.Prefix($"{DeliveryPrefix}{order.Value}.");

    /// <param name="first">The key of one of the deliveries: no two commits are done with the same one at the same time.</param>
    public static string Expiry(DateTimeOffset at, string first) =>
        string.Create(CultureInfo.InvariantCulture, $"{ExpiryPrefix}{at.UtcTicks:x16}.{first}");

    /// <summary>What was done with before.</summary>
    public static KeyRange ExpiredBy(DateTimeOffset at) =>
        KeyRange.Prefix(ExpiryPrefix) with
        {
            To = string.Create(CultureInfo.InvariantCulture, $"{ExpiryPrefix}{at.UtcTicks:x16}"),
        };

    /// <summary>What was done with from a time on and before another.</summary>
    public static KeyRange ExpiredFrom(DateTimeOffset from, DateTimeOffset until) =>
        ExpiredBy(until) with
        {
            From = string.Create(CultureInfo.InvariantCulture, $"{ExpiryPrefix}{from.UtcTicks:x16}"),
        };

    public static DateTimeOffset ExpiryIn(string key) =>
        new(long.Parse(key.AsSpan(ExpiryPrefix.Length, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), TimeSpan.Zero);

    /// <summary>The key is not for rows of a subscriber's own.</summary>
    public static bool IsReserved(string key) =>
        key == PartitionWriter.HeadKey || (key.Length > 1 && key[1] == '.' && (key[0] is 'w' or 'd' or 'n' or 's' or 'v' or 'x'));
}
