using System.Collections.Immutable;
using Client.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Orders.Rows;

namespace Client.Demo;

/// <summary>What became of the demo's order, from three sides: who moved it, who watched it, and the audit.</summary>
/// <param name="Steps">Versions and types of changes as the watch told them.</param>
/// <param name="Proven">Its changes in the audit whose proofs hold under the signed head.</param>
/// <param name="AuditHolds">Every entry of the audit was read and holds.</param>
/// <param name="Mails">Mails in the folder; null where the demo sends none.</param>
/// <param name="Hook">What the webhook's endpoint was told; null where the silo takes none on loopback.</param>
/// <param name="Deliveries">As the silo tells of them: <c>mail order.paid delivered</c>.</param>
internal sealed record OrderEvidence(
    string Id,
    ImmutableArray<string> Steps,
    int Proven,
    bool AuditHolds,
    int? Mails,
    HookLedger? Hook,
    ImmutableArray<string> Deliveries
)
{
    public static readonly ImmutableArray<string> Expected = ["1 order.placed", "2 order.paid", "3 order.shipped", "4 order.completed"];
}

/// <summary>
/// An order that is placed and paid before the silo dies, and goes on afterwards, while one watch looks on all the time; its customer is
/// told by mail, another system by webhook.
/// </summary>
/// <param name="mails">The folder that the silo writes mails to; null: nobody is written to.</param>
internal sealed class DemoOrder(Session session, Session watcher, DemoHook hook, string? mails) : IAsyncDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _enough = new();
    private readonly List<string> _seen = [];
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _watching = Task.CompletedTask;
    private OrderId _id;
    private string? _webhook;

    /// <summary>Places and pays it. Answers its id, and why there is no webhook.</summary>
    public async Task<(string Id, string? NoHook)> Begin(CancellationToken cancel)
    {
        var desk = (await session.Cluster(cancel)).Orders;
        var added = await desk.Webhooks.Add(new(hook.Url.AbsoluteUri, [], null), cancel);
        _webhook = added.Endpoint?.Id;
        if (added.Secret is { } secret)
        {
            hook.Expect(WebhookSecret.Parse(secret));
        }

        var placed = await desk.Place(
            IdempotencyKey.Random(),
            new()
            {
                Customer = "ann",
                Currency = "EUR",
                Lines = [new("atlas", 1, 2450), new("ink", 3, 320)],
                Email = mails is null ? null : "ann@example.org",
            },
            cancel
        );
        _id = (placed.Order ?? throw new ConsoleException(placed.Detail ?? "The order was refused.")).Id;
        _watching = Watch(CancellationTokenSource.CreateLinkedTokenSource(cancel, _enough.Token).Token);
        await Take(OrderStep.Pay, cancel);
        return (_id.Value, added.Error);
    }

    /// <summary>Ships and completes it, waits until the watch has told so, and reads the audit.</summary>
    public async Task<OrderEvidence> End(CancellationToken cancel)
    {
        await Take(OrderStep.Ship, cancel);
        await Take(OrderStep.Complete, cancel);
        await _completed.Task.WaitAsync(cancel);
        await _enough.CancelAsync();
        await _watching;
        var desk = (await session.Cluster(cancel)).Orders;
        var keys = new[] { AuditPublicKey.FromPem(await desk.AuditHeads.PublicKey(cancel)) };
        var proven = 0;
        while (proven < OrderEvidence.Expected.Length)
        {
            // The audit is told apart from the order's flow: a moment later.
            proven =
                await desk.Audit.Proof(_id, cancel) is { } proof
                && AuditReceipt.FromJson(proof) is var receipt
                && receipt.Check(keys) is null
                    ? receipt.Entries.Count(entry => AuditEntry.Decode(entry.Entry.Span).Kind == AuditEntryKind.OrderChange)
                    : 0;
            await Task.Delay(BetweenLooks, session.Terminal.Clock, cancel);
        }

        var deliveries = await Delivered(desk, cancel);
        var told = _webhook is null ? null : hook.Read();
        return new(
            _id.Value,
            [.. _seen],
            proven,
            (await AuditCheck.Run(desk, [], all: false, cancel)).Holds,
            mails is null ? null : Directory.GetFiles(mails, "*.eml").Length,
            told,
            deliveries
        );
    }

    /// <summary>Where the silo stays, nothing of the demo stays with it but an order.</summary>
    public async Task Leave(CancellationToken cancel)
    {
        if (_webhook is { } webhook)
        {
            await (await session.Cluster(cancel)).Orders.Webhooks.Remove(webhook, cancel);
        }
    }

    /// <summary>Waits until everybody was told of every change.</summary>
    private async Task<ImmutableArray<string>> Delivered(OrderDesk desk, CancellationToken cancel)
    {
        var expected = OrderEvidence.Expected.Length * ((mails is null ? 0 : 1) + (_webhook is null ? 0 : 1));
        while (true)
        {
            var own = (await desk.Subscribers.Deliveries(_id, cancel))
                .All.Where(delivery => delivery.Subscriber == "mail" || delivery.Subscriber == $"webhook-{_webhook}")
                .ToArray();
            if (own.Count(delivery => delivery.Status != DeliveryStatus.Waiting) >= expected)
            {
                return
                [
                    .. own.Select(delivery =>
                        $"{(delivery.Subscriber == "mail" ? "mail" : "webhook")} {delivery.Type} {DeliveryForm.Word(delivery.Status)}"
                    ),
                ];
            }

            await Task.Delay(BetweenLooks, session.Terminal.Clock, cancel);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        _enough.Dispose();
        await watcher.DisposeAsync();
    }

    private async Task Take(OrderStep step, CancellationToken cancel)
    {
        var reply = await (await session.Cluster(cancel)).Orders.Order(_id).Take(new(step, IdempotencyKey.Random().StepId), cancel);
        if (reply.Refusal != OrderRefusal.None)
        {
            throw new ConsoleException(reply.Detail ?? $"The step was refused: {reply.Refusal}.");
        }
    }

    private async Task Watch(CancellationToken cancel)
    {
        try
        {
            await foreach (var seen in new OrderFollower(watcher, "start", _id.Value).Watch(cancel))
            {
                foreach (var (_, change) in seen is WatchEvent.Page page ? page.Changes.Changes : [])
                {
                    _seen.Add($"{change.Version} {change.Type}");
                }

                if (_seen.Count >= OrderEvidence.Expected.Length)
                {
                    _completed.TrySetResult();
                }
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // That is how a watch ends.
        }
    }
}
