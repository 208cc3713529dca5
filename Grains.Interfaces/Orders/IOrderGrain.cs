using System.Collections.Immutable;
using Orleans.Concurrency;

namespace Grains.Interfaces.Orders;

/// <summary>
/// One order: decides what a step does to it, and has the feed of its partition keep that. The key is an <see cref="OrderId"/>.
/// </summary>
[Alias("orders.IOrderGrain")]
public interface IOrderGrain : IGrainWithStringKey
{
    /// <summary>
    /// Places the order, durable when it answers. Under an id that was placed before the first answer comes again if the same was asked,
    /// else
    /// <see cref="OrderRefusal.KeyReused"/>. Interleaves, so that a repeat of what is being done is answered and does not wait; steps are
    /// taken one after the other all the same.
    /// </summary>
    [AlwaysInterleave]
    [Alias("Place")]
    Task<OrderReply> Place(PlaceOrder order, CancellationToken cancel = default);

    /// <summary>
    /// Takes a step, durable when it answers, a refusal too. The same step under the same id gets its first answer, before anything else is
    /// looked at.
    /// Interleaves as <see cref="Place"/> does.
    /// </summary>
    [AlwaysInterleave]
    [Alias("Take")]
    Task<OrderReply> Take(StepRequest request, CancellationToken cancel = default);

    /// <summary>The order as it is stored; null when there is none. Interleaves: it reads the store and touches nothing here.</summary>
    [AlwaysInterleave]
    [Alias("Show")]
    Task<Order?> Show(CancellationToken cancel = default);
}

/// <summary>An order as it is asked for; what is wrong with it is answered by a value.</summary>
[GenerateSerializer, Immutable, Alias("orders.PlaceOrder")]
public sealed record PlaceOrder
{
    [Id(0)]
    public required string Customer { get; init; }

    [Id(1)]
    public required string Currency { get; init; }

    [Id(2)]
    public required ImmutableArray<OrderLine> Lines { get; init; }

    [Id(3)]
    public string? Notes { get; init; }

    [Id(4)]
    public string? Email { get; init; }

    [Id(5)]
    public string? Language { get; init; }

    [Id(6)]
    public DateTimeOffset? PayBefore { get; init; }

    /// <summary>After this nobody waits for the answer any more, and it is not begun. No part of what is asked.</summary>
    [Id(7)]
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Without what may be personal.</summary>
    public override string ToString() => $"An order of {(Lines.IsDefault ? 0 : Lines.Length)} line(s)";
}

/// <param name="Id">A repeat comes under the same id.</param>
/// <param name="ExpectedVersion">The version that the step is meant for; null: whichever it has.</param>
/// <param name="Deadline">After this nobody waits for the answer any more, and it is not begun.</param>
[GenerateSerializer, Immutable, Alias("orders.StepRequest")]
public sealed record StepRequest(
    [property: Id(0)] OrderStep Step,
    [property: Id(1)] StepId Id,
    [property: Id(2)] long? ExpectedVersion = null,
    [property: Id(3)] DateTimeOffset? Deadline = null
)
{
    /// <summary>Versions that will do in the place of <see cref="ExpectedVersion"/>; empty where that is null.</summary>
    [Id(4)]
    public ImmutableArray<long> OtherVersions
    {
        get => field.IsDefault ? [] : field;
        init;
    } = [];

    /// <summary>Whether the step is meant for an order of this version.</summary>
    public bool IsFor(long version) => ExpectedVersion is null || ExpectedVersion == version || OtherVersions.Contains(version);
}

/// <summary>Why a step was not taken.</summary>
public enum OrderRefusal
{
    /// <summary>It was taken.</summary>
    None,

    /// <summary>The order is not what an order is: <see cref="OrderReply.Faults"/>.</summary>
    Invalid,

    /// <summary>There is no such order.</summary>
    NotFound,

    /// <summary>Its status does not allow the step.</summary>
    WrongState,

    /// <summary>It was to be paid before, and cancels itself.</summary>
    TooLate,

    /// <summary>It has another version than the step is meant for.</summary>
    Stale,

    /// <summary>Something else was asked for under this id before.</summary>
    KeyReused,

    /// <summary>The same is being done at this moment: ask again.</summary>
    InFlight,

    /// <summary>It came after its deadline.</summary>
    Expired,

    /// <summary>Too much waits in the order's partition: ask again.</summary>
    Busy,
}

/// <summary>What is wrong with an order, and where.</summary>
/// <param name="Detail">A sentence that says what would be right.</param>
/// <param name="At">A JSON Pointer (RFC 6901) into the order as it is asked for: <c>/lines/0/price</c>.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderFault")]
public sealed record OrderFault([property: Id(0)] string Detail, [property: Id(1)] string At);

/// <param name="Order">As the answered step left it, or as it is where the step was refused; null where there is none.</param>
/// <param name="Detail">Of a refusal: a sentence.</param>
/// <param name="Faults">Of an order that is <see cref="OrderRefusal.Invalid"/>: all that is wrong with it.</param>
/// <param name="Repeated">It was answered before, and this is the same answer.</param>
[GenerateSerializer, Immutable, Alias("orders.OrderReply")]
public sealed record OrderReply(
    [property: Id(0)] Order? Order,
    [property: Id(1)] OrderRefusal Refusal,
    [property: Id(2)] string? Detail,
    [property: Id(3)] ImmutableArray<OrderFault> Faults,
    [property: Id(4)] bool Repeated
);
