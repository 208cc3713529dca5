using System.Runtime.CompilerServices;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;

namespace Grains.Client;

/// <summary>Places orders, moves them on, watches their changes, and asks for proofs of them.</summary>
public sealed class OrdersClient
{
    /// <summary>Stands for the oldest change that is kept, in place of a cursor.</summary>
    public const string Start = "start";

    /// <summary>How long a silo holds a read that finds nothing.</summary>
    private static readonly TimeSpan ReadWait = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan FullRetry = TimeSpan.FromSeconds(1);

    private readonly OrderDesk _orders;

    internal OrdersClient(IGrainFactory grains) => _orders = new(grains);

    /// <summary>Places an order, durable when it answers. Asked again under the same client and key, it answers the same.</summary>
    /// <param name="client">Whose key it is: keys of different clients never meet.</param>
    /// <param name="key">Chosen by the client, 1 to <see cref="IdempotencyKey.MaxLength"/> printable ASCII characters.</param>
    /// <returns>A refusal is a value: look at <see cref="OrderReply.Refusal"/>.</returns>
    public Task<OrderReply> Place(string client, string key, PlaceOrder order, CancellationToken cancel = default) =>
        IdempotencyKey.IsKey(key)
            ? _orders.Place(IdempotencyKey.Of(client, key), order, cancel)
            : throw new ArgumentException(
                $"A key has 1 to {IdempotencyKey.MaxLength} characters of printable ASCII, without spaces at its ends.",
                nameof(key)
            );

    /// <summary>Takes a step, durable when it answers. A repeat under the same client and key gets the first answer.</summary>
    public Task<OrderReply> Take(OrderId order, OrderStep step, string client, string key, CancellationToken cancel = default) =>
        _orders.Order(order).Take(new(step, IdempotencyKey.Of(client, key).StepId), cancel);

    /// <summary>The order as it is stored; null when there is none.</summary>
    public Task<Order?> Show(OrderId order, CancellationToken cancel = default) => _orders.Order(order).Show(cancel);

    /// <summary>
    /// Changes as they are committed, each once and in order per order, until it is cancelled. Keep <see cref="WatchedOrder.Cursor"/> of
    /// the
    /// last change that was worked on, and go on from there after an exception, today or next week.
    /// </summary>
    /// <param name="from">A cursor; <see cref="Start"/> for the oldest change that is kept; null for now.</param>
    /// <param name="order">One order's changes; null: all.</param>
    /// <exception cref="ClusterRefusedException">The cursor is none, or what comes after it is not kept any more.</exception>
    public async IAsyncEnumerable<WatchedOrder> Watch(
        string? from = null,
        OrderId? order = null,
        [EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        var cursor = from;
        while (true)
        {
            var page = await _orders.Watch.Read(new(cursor, order?.Value, IOrderWatchGrain.MaxTake, ReadWait), cancel);
            if (page.Refusal == WatchRefusal.Full)
            {
                await Task.Delay(FullRetry, cancel);
                continue;
            }

            if (page.Refusal != WatchRefusal.None)
            {
                throw new ClusterRefusedException(page.Detail ?? $"The watch was refused: {page.Refusal}.");
            }

            foreach (var change in page.Changes)
            {
                yield return change;
            }

            cursor = page.Cursor;
        }
    }

    /// <summary>
    /// What was recorded of an order, provable by anybody with the public key: <see cref="AuditReceipt.Check"/> needs no cluster. Null when
    /// nothing was recorded yet.
    /// </summary>
    public async Task<AuditReceipt?> Proof(OrderId order, CancellationToken cancel = default) =>
        await _orders.Audit.Proof(order, cancel) is { } proof ? AuditReceipt.FromJson(proof) : null;

    /// <summary>
    /// The audit's newest signed head. Keep it elsewhere: it holds whoever keeps the data to everything recorded until then.
    /// </summary>
    public async Task<SignedAuditHead> Head(CancellationToken cancel = default) =>
        SignedAuditHead.FromJson(await _orders.AuditHeads.Head(cancel));

    /// <summary>The key that heads are signed with. Compare it once with the one that the operator published.</summary>
    public async Task<AuditPublicKey> PublicKey(CancellationToken cancel = default) =>
        AuditPublicKey.FromPem(await _orders.AuditHeads.PublicKey(cancel));
}
