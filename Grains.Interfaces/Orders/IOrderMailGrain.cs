using System.Collections.Immutable;

namespace Grains.Interfaces.Orders;

/// <summary>What customers want to be told by mail, and the addresses that get none any more. The key is always 0.</summary>
[Alias("orders.IOrderMailGrain")]
public interface IOrderMailGrain : IGrainWithIntegerKey
{
    /// <summary>Suppressions in one answer.</summary>
    const int MaxTake = 500;

    /// <summary>What a customer wants. Whoever said nothing wants everything.</summary>
    [Alias("Preferences")]
    Task<MailPreferences> Preferences(string customer, CancellationToken cancel = default);

    /// <summary>
    /// Keeps what a customer wants. Durable when it answers; every silo knows of it a few seconds later. Answers what is wrong with it, in
    /// a sentence; null when it is kept.
    /// </summary>
    [Alias("Prefer")]
    Task<string?> Prefer(MailPreferences preferences, CancellationToken cancel = default);

    /// <summary>
    /// Forgets what a customer wants, as a part of erasing the customer. Durable when it answers; nothing to forget is no error.
    /// </summary>
    [Alias("Forget")]
    Task Forget(string customer, CancellationToken cancel = default);

    /// <summary>Addresses that get no mail any more, in the order of their ids, which says nothing.</summary>
    /// <param name="after">The last id of the page before; null for the first.</param>
    /// <param name="take">1 to <see cref="MaxTake"/>.</param>
    [Alias("Suppressions")]
    Task<ImmutableArray<MailSuppression>> Suppressions(string? after, int take, CancellationToken cancel = default);

    /// <summary>Null when mail goes to this address.</summary>
    [Alias("Suppression")]
    Task<MailSuppression?> Suppression(string address, CancellationToken cancel = default);

    /// <summary>Mail goes to this address again. False when it did.</summary>
    [Alias("Lift")]
    Task<bool> Lift(string address, CancellationToken cancel = default);

    /// <summary>Whether the token is one that a mail of ours carried. It changes nothing.</summary>
    [Alias("Knows")]
    Task<bool> Knows(string token, CancellationToken cancel = default);

    /// <summary>No more mail for the customer to whom the token was sent. False for a token that no mail of ours carried.</summary>
    [Alias("Unsubscribe")]
    Task<bool> Unsubscribe(string token, CancellationToken cancel = default);
}

/// <summary>What a customer wants to be told by mail.</summary>
/// <param name="Customer">As the orders have it.</param>
/// <param name="Types">Types of changes, such as <c>order.paid</c>: none for no mail at all. Null: every type, those of later versions
/// too.</param>
[GenerateSerializer, Immutable, Alias("orders.MailPreferences")]
public sealed record MailPreferences([property: Id(0)] string Customer, [property: Id(1)] ImmutableArray<string>? Types);

/// <summary>An address that gets no mail any more, since its server refused it for good. The address itself is not kept.</summary>
/// <param name="Id">64 characters of hex, made from the address.</param>
/// <param name="Masked">Such as <c>a…@example.org</c>.</param>
/// <param name="Reason">As for dead letters: <c>smtp-550</c>.</param>
/// <param name="Detail">What the server said, without addresses.</param>
[GenerateSerializer, Immutable, Alias("orders.MailSuppression")]
public sealed record MailSuppression(
    [property: Id(0)] string Id,
    [property: Id(1)] string Masked,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] string Reason,
    [property: Id(4)] string Detail
);
