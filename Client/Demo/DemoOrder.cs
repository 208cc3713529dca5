using System.Collections.Immutable;
using Client.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;

namespace Client.Demo;

/// <summary>What became of the demo's order, from three sides: who moved it, who watched it, and the audit.</summary>
/// <param name="Steps">Versions and types of changes as the watch told them.</param>
/// <param name="Proven">Entries of the audit about it whose proofs hold under the signed head.</param>
/// <param name="AuditHolds">Every entry of the audit was read and holds.</param>
internal sealed record OrderEvidence(string Id, ImmutableArray<string> Steps, int Proven, bool AuditHolds)
{
    public static readonly ImmutableArray<string> Expected = ["1 order.placed", "2 order.paid", "3 order.shipped", "4 order.completed"];
}

/// <summary>An order that is placed and paid before the silo dies, and goes on afterwards, while one watch looks on all the time.</summary>
internal sealed class DemoOrder(Session session, Session watcher) : IAsyncDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _enough = new();
    private readonly List<string> _seen = [];
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _watching = Task.CompletedTask;
    private OrderId _id;

    /// <summary>Places and pays it. Answers its id.</summary>
    public async Task<string> Begin(CancellationToken cancel)
    {
        var desk = (await session.Cluster(cancel)).Orders;
        var placed = await desk.Place(IdempotencyKey.Random(), new() { Customer = "ann", Currency = "EUR", Lines = [new("atlas", 1, 2450), new("ink", 3, 320)] }, cancel);
        _id = (placed.Order ?? throw new ConsoleException(placed.Detail ?? "The order was refused.")).Id;
        _watching = Watch(CancellationTokenSource.CreateLinkedTokenSource(cancel, _enough.Token).Token);
        await Take(OrderStep.Pay, cancel);
        return _id.Value;
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
            proven = await desk.Audit.Proof(_id, cancel) is { } proof && AuditReceipt.FromJson(proof) is var receipt && receipt.Check(keys) is null ? receipt.Entries.Length : 0;
            await Task.Delay(BetweenLooks, session.Terminal.Clock, cancel);
        }

        return new(_id.Value, [.. _seen], proven, (await AuditCheck.Run(desk, [], all: false, cancel)).Holds);
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
