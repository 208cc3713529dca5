using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries;
using Grains.Orders.Deliveries.Mail;
using Orleans.Concurrency;

namespace Grains.Orders;

/// <summary>
/// The door to what is kept for mail. It keeps nothing itself; rows stand for themselves (<see cref="MailStore"/>), so there may be many of
/// it.
/// </summary>
[StatelessWorker]
[GrainType("ordermail")]
public sealed class OrderMailGrain(MailStore store) : Grain, IOrderMailGrain
{
    public async Task<MailPreferences> Preferences(string customer, CancellationToken cancel) =>
        new(customer, (await store.Preferences(customer, cancel)).Types.TryGetValue(MailSubscriber.Name, out var types) ? types : null);

    public async Task<string?> Prefer(MailPreferences preferences, CancellationToken cancel)
    {
        var wanted = preferences.Types is { } types
            ? CustomerPreferences.Everything.With(MailSubscriber.Name, types)
            : CustomerPreferences.Everything;
        if (wanted.Fault() is { } fault)
        {
            return fault;
        }

        await store.Prefer(preferences.Customer, wanted, cancel);
        return null;
    }

    public Task Forget(string customer, CancellationToken cancel) => store.Forget(customer, cancel);

    public async Task<ImmutableArray<MailSuppression>> Suppressions(string? after, int take, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, IOrderMailGrain.MaxTake);
        return [.. (await store.Suppressions(after, take, cancel)).Select(row => Of(row.Key, row.Suppression))];
    }

    public async Task<MailSuppression?> Suppression(string address, CancellationToken cancel) =>
        await store.Suppression(address, cancel) is { } suppression ? Of(Deliveries.Mail.Suppression.Key(address), suppression) : null;

    public Task<bool> Lift(string address, CancellationToken cancel) => store.Lift(address, cancel);

    public async Task<bool> Knows(string token, CancellationToken cancel) =>
        UnsubscribeToken.TryRead(await store.UnsubscribeKey(cancel), token, out _);

    public async Task<bool> Unsubscribe(string token, CancellationToken cancel)
    {
        if (!UnsubscribeToken.TryRead(await store.UnsubscribeKey(cancel), token, out var customerKey))
        {
            return false;
        }

        await store.Unsubscribe(customerKey, MailSubscriber.Name, cancel);
        return true;
    }

    private static MailSuppression Of(string key, Suppression suppression) =>
        new(key, suppression.Masked, suppression.At, suppression.Reason, suppression.Detail);
}
