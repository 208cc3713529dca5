using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Grains.Interfaces.Orders;

/// <summary>What happened to an order and what became of telling others, in the order of its times. Nothing in it is personal.</summary>
/// <param name="Behind">Subscribers that have yet to take changes of the order's partition: what they will do with its last ones is
/// missing.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderTimeline")]
public sealed record OrderTimeline(
    [property: Id(0)] OrderId Order,
    [property: Id(1)] ImmutableArray<OrderTimelineEntry> Entries,
    [property: Id(2)] ImmutableArray<string> Behind
)
{
    /// <summary>Entries at most: the latest ones stay.</summary>
    public const int MaxEntries = 2000;

    /// <summary>There are more entries than <see cref="MaxEntries"/>: the oldest are left out.</summary>
    [Id(3)]
    public long LeftOut { get; init; }
}

/// <summary>What an entry of a time line tells.</summary>
public enum OrderTimelineKind
{
    /// <summary>The order changed.</summary>
    Change,

    /// <summary>Somebody was tried to be told of a change.</summary>
    Try,

    /// <summary>A delivery came to its end: delivered, suppressed, dead, discarded.</summary>
    Delivery,

    /// <summary>A delivery waits for its next try.</summary>
    Waiting,

    /// <summary>The audit recorded something beside changes and deliveries: a replay, an erasure.</summary>
    Audit,
}

/// <summary>One thing that happened.</summary>
/// <param name="Version">The order's version that it is about; 0: none.</param>
/// <param name="What">What happened: <c>order.paid</c>, <c>mail.delivered</c>, <c>order.erased</c>.</param>
/// <param name="Subscriber">Who was told, or is to be; null for what is about nobody.</param>
/// <param name="Detail">A sentence; null where there is nothing more to say.</param>
/// <param name="Answer">The beginning of what the other side answered, at most <see cref="HandlingTry.MaxAnswerBytes"/> bytes; null where
/// there is none.</param>
/// <param name="AuditIndex">The entry's place in the audit of the order's partition; null: the audit does not have it (yet).</param>
[GenerateSerializer, Immutable, Alias("orders.OrderTimelineEntry")]
public sealed record OrderTimelineEntry(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] OrderTimelineKind Kind,
    [property: Id(2)] long Version,
    [property: Id(3)] string What,
    [property: Id(4)] string? Subscriber,
    [property: Id(5)] string? Detail,
    [property: Id(6)] string? Answer,
    [property: Id(7)] long? AuditIndex
);

/// <summary>A time line as programs read it.</summary>
/// <param name="LeftOut">Older entries that are left out.</param>
public sealed record TimelineForm(string OrderId, ImmutableArray<TimelineEntryForm> Entries, ImmutableArray<string> Behind, long LeftOut)
{
    public static TimelineForm Of(OrderTimeline timeline) =>
        new(timeline.Order.Value, [.. timeline.Entries.Select(TimelineEntryForm.Of)], timeline.Behind, timeline.LeftOut);
}

/// <param name="Kind"><c>change</c>, <c>try</c>, <c>delivery</c>, <c>waiting</c> or <c>audit</c>.</param>
public sealed record TimelineEntryForm(
    DateTimeOffset At,
    string Kind,
    long Version,
    string What,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Subscriber = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Answer = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? AuditIndex = null
)
{
    public static TimelineEntryForm Of(OrderTimelineEntry entry) =>
        new(
            entry.At,
            entry.Kind.ToString().ToLowerInvariant(),
            entry.Version,
            entry.What,
            entry.Subscriber,
            entry.Detail,
            entry.Answer,
            entry.AuditIndex
        );
}
