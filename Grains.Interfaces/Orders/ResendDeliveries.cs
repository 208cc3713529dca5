using System.Collections.Immutable;
using System.Globalization;

namespace Grains.Interfaces.Orders;

/// <summary>Which deliveries are to be made once more: those of an order, or all that a subscriber made since a time.</summary>
/// <param name="Subscriber">Who was told: <c>webhook-{id}</c>, <c>mail</c>. Null: everybody; only with <see cref="Order"/>.</param>
/// <param name="Order">Only deliveries of this order.</param>
/// <param name="Version">Only of the change that led to this version; only with <see cref="Order"/>.</param>
/// <param name="Since">Deliveries that were made at this time or later; only without <see cref="Order"/>.</param>
/// <param name="After">Where an answer before ended (<see cref="ResentReply.After"/>); only with <see cref="Since"/>.</param>
[GenerateSerializer, Immutable, Alias("orders.ResendDeliveries")]
public sealed record ResendDeliveries(
    [property: Id(0)] string? Subscriber,
    [property: Id(1)] OrderId? Order = null,
    [property: Id(2)] long? Version = null,
    [property: Id(3)] DateTimeOffset? Since = null,
    [property: Id(4)] string? After = null
)
{
    /// <returns>A sentence that says what would be right; null when nothing is wrong.</returns>
    public string? Fault() =>
        (Order is not null) == (Since is not null) ? "Name an order, or a subscriber and the time since when its deliveries are sent again."
        : Since is not null && Subscriber is null ? "Deliveries since a time are those of one subscriber: name it."
        : Version is < 1 ? "A version is 1 or more."
        : Order is null && Version is not null ? "A version is one of an order: name the order."
        : After is not null && (Since is null || !ResendCursor.TryParse(After, out _, out _)) ? "\"after\" is what an answer before gave."
        : null;
}

/// <param name="Count">Deliveries that are made once more.</param>
/// <param name="Gone">Deliveries of changes that are not kept any more (<c>Orders:KeepChanges</c>): they cannot be sent again.</param>
/// <param name="After">To go on once fewer wait; null when all were taken.</param>
/// <param name="Error">Why nothing was done: a sentence; null otherwise.</param>
[GenerateSerializer, Immutable, Alias("orders.ResentReply")]
public sealed record ResentReply(
    [property: Id(0)] int Count,
    [property: Id(1)] int Gone,
    [property: Id(2)] string? After,
    [property: Id(3)] string? Error = null
);

/// <summary>As <see cref="ResendDeliveries"/>, at one subscriber in one partition.</summary>
/// <param name="Until">Deliveries that were made before; null: by now. What is sent again by one part is not sent again by the
/// next.</param>
[GenerateSerializer, Immutable, Alias("orders.ResendPart")]
public sealed record ResendPart(
    [property: Id(0)] OrderId? Order,
    [property: Id(1)] long? Version,
    [property: Id(2)] DateTimeOffset? Since,
    [property: Id(3)] DateTimeOffset? Until = null
);

/// <param name="Next">From when to go on; null when all were taken.</param>
[GenerateSerializer, Immutable, Alias("orders.ResentPart")]
public sealed record ResentPart([property: Id(0)] int Count, [property: Id(1)] int Gone, [property: Id(2)] DateTimeOffset? Next);

/// <summary>
/// Where a sending again ended: <c>8de….3-8dd…</c>, until when deliveries are meant, and by partition from when to go on; times in ticks,
/// by
/// hexadecimal digits. For nobody to read.
/// </summary>
public static class ResendCursor
{
    public static string Write(DateTimeOffset until, IEnumerable<KeyValuePair<int, DateTimeOffset>> next) =>
        Ticks(until)
        + "."
        + string.Join(',', next.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Key}-{Ticks(part.Value)}")));

    public static bool TryParse(string text, out DateTimeOffset until, out ImmutableSortedDictionary<int, DateTimeOffset> next)
    {
        var read = ImmutableSortedDictionary.CreateBuilder<int, DateTimeOffset>();
        (until, next) = (default, ImmutableSortedDictionary<int, DateTimeOffset>.Empty);
        if (text.Length > OrderId.MaxPartitions * 24 || text.Split('.') is not [var end, var parts] || !TryTime(end, out until))
        {
            return false;
        }

        foreach (var part in parts.Split(','))
        {
            if (
                part.Split('-') is not [var number, var ticks]
                || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
                || partition >= OrderId.MaxPartitions
                || !TryTime(ticks, out var at)
                || !read.TryAdd(partition, at)
            )
            {
                return false;
            }
        }

        next = read.ToImmutable();
        return true;
    }

    private static string Ticks(DateTimeOffset at) => at.UtcTicks.ToString("x", CultureInfo.InvariantCulture);

    private static bool TryTime(string text, out DateTimeOffset at)
    {
        at = default;
        if (
            !long.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticks)
            || ticks < 0
            || ticks > DateTimeOffset.MaxValue.UtcTicks
        )
        {
            return false;
        }

        at = new(ticks, TimeSpan.Zero);
        return true;
    }
}

/// <summary>What is asked to be sent again, over HTTP.</summary>
/// <param name="Order">An order's id.</param>
public sealed record ResendForm(
    string? Subscriber = null,
    string? Order = null,
    long? Version = null,
    DateTimeOffset? Since = null,
    string? After = null
)
{
    /// <summary>Of a body.</summary>
    public const int MaxBytes = 64 * 1024;
}

/// <inheritdoc cref="ResentReply"/>
public sealed record ResentForm(int Count, int Gone, string? After);
