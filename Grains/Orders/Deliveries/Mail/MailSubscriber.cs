using System.Collections.Immutable;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;

namespace Grains.Orders.Deliveries.Mail;

/// <summary>What the mail subscribers of a silo share.</summary>
/// <param name="Unsubscribe">Where the recipient says that no more is wanted: see <see cref="MailSettings.Unsubscribe"/>.</param>
/// <param name="Pickup">The folder that mails go to, or went to before there was a server: erasures reach it.</param>
public sealed record MailContext(
    MailStore Store,
    MailGate Gate,
    MailComposer Composer,
    MailAfterUnknown AfterUnknown,
    Uri? Unsubscribe,
    PickupMailSender? Pickup
);

/// <summary>
/// Tells customers by mail what became of their orders. Each change is tried once a call: what it comes to is the answer. A crash between a
/// mail that was taken and the cursor's commit sends it again,
/// under the same Message-ID.
/// </summary>
/// <remarks>
/// A hard bounce has been counted before it is answered; if a crash comes between, the repeat is the same mail and counts no more.
/// </remarks>
public sealed class MailSubscriber(MailContext mail) : IErasingSubscriber
{
    /// <summary>The subscriber, and its channel.</summary>
    public const string Name = "mail";

    private readonly Dictionary<long, (OrderId Order, Task<DeliveryResult> DeliveryResult)> _running = [];

    public static SubscriberRules Rules(ImmutableArray<TimeSpan> waits) =>
        new()
        {
            Name = Name,
            Channel = Name,
            KeepsOrder = false,
            AtOnce = 8,
            Within = null,
            Backoff = waits,
        };

    public async ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
    {
        var change = handling.Change;
        var handled = Try(change, cancel);
        _running[change.Revision] = (change.OrderId, handled);
        try
        {
            return await handled;
        }
        finally
        {
            _running.Remove(change.Revision);
        }
    }

    /// <summary>Mails of these orders that lie in the folder are removed. What went to a mail server is gone.</summary>
    public async ValueTask<DeliveryResult> Erase(IReadOnlyCollection<OrderId> orders, DateTimeOffset now, CancellationToken cancel)
    {
        if (mail.Pickup is { } pickup)
        {
            // One that is being written would come after it. What becomes of it, whoever handles it is told.
            IEnumerable<Task> running = _running
                .Values.Where(running => orders.Contains(running.Order))
                .Select(running => running.DeliveryResult);
            await Task.WhenAll(running)
                .WaitAsync(cancel)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            cancel.ThrowIfCancellationRequested();
            pickup.Remove(orders);
        }

        return DeliveryResult.Done();
    }

    private async Task<DeliveryResult> Try(OrderChange change, CancellationToken cancel)
    {
        var order = change.Order;
        if (Erasure.IsDone(order))
        {
            return DeliveryResult.Suppressed(SuppressedReasons.Erased, "What is personal of the order was erased.");
        }

        if (order.Email is not { } address)
        {
            return DeliveryResult.Filtered(); // Nobody asked to be told by mail: it is no notification.
        }

        if (!MailRecipient.TryParse(order.Customer, address, out var to, out var error))
        {
            return DeliveryResult.Failed(DeliveryReasons.BadAddress, error);
        }

        if (!(await mail.Store.Wishes(order.Customer, cancel)).Wants(Name, change.Type))
        {
            return DeliveryResult.Suppressed(SuppressedReasons.NotWantedByCustomer, $"The customer wants no mail of {change.Type}.");
        }

        var bounces = await mail.Store.Bounces(address, cancel);
        if (bounces is { } suppression && mail.Store.Holds(suppression))
        {
            return DeliveryResult.Suppressed(
                SuppressedReasons.AddressSuppressed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The address gets no mail since {suppression.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC: {suppression.Detail}"
                )
            );
        }

        var unsubscribe = await Unsubscribe(order.Customer, cancel);
        var (outcome, after) = await mail.Gate.Send(() => mail.Composer.Compose(change, to, unsubscribe), cancel);
        if (after is { } wait)
        {
            return DeliveryResult.Deferred(outcome.Reason, outcome.Detail, wait);
        }

        if (outcome.Suppress)
        {
            await mail.Store.Bounced(
                address,
                string.Create(CultureInfo.InvariantCulture, $"{change.OrderId}.{change.Version}"),
                outcome,
                cancel
            );
        }
        else if (outcome.Verdict == MailVerdict.Delivered && bounces is not null)
        {
            await mail.Store.Lift(address, cancel);
        }

        return outcome.Verdict switch
        {
            MailVerdict.Delivered => DeliveryResult.Delivered(outcome.Reason, outcome.Detail),
            MailVerdict.Refused => DeliveryResult.Failed(outcome.Reason, outcome.Detail),
            MailVerdict.Unknown when mail.AfterUnknown == MailAfterUnknown.GiveUp => DeliveryResult.Failed(outcome.Reason, outcome.Detail),
            _ => DeliveryResult.Later(outcome.Reason, outcome.Detail),
        };
    }

    private async ValueTask<Uri?> Unsubscribe(string customer, CancellationToken cancel) =>
        mail.Unsubscribe is { Scheme: "https" } beginning
            ? new(
                $"{beginning.AbsoluteUri.TrimEnd('/')}/unsubscribe/"
                    + UnsubscribeToken.Make(await mail.Store.UnsubscribeKey(cancel), customer)
            )
            : mail.Unsubscribe;
}
