using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;

namespace Client.Orders;

/// <summary>What a check of the whole audit found.</summary>
/// <param name="OrderFindings">Orders that are not as their last entry says, or whose versions the audit does not have from the first to
/// the last: a sentence each, the first few.</param>
internal sealed record AuditCheckResult(AuditReport Report, ImmutableArray<string> OrderFindings, long Orders, int Heads)
{
    public bool Holds => Report.Holds && OrderFindings.IsEmpty;
}

/// <summary>Reads the audit and holds it against its signed heads, and against the orders; all of it here, not in the cluster.</summary>
internal static class AuditCheck
{
    /// <summary>Sentences about orders at most.</summary>
    private const int MaxFindings = 20;

    /// <summary>How long an order's last change may be on its way to the audit.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <param name="against">Heads from elsewhere.</param>
    /// <param name="all">Against every head that the cluster has kept, and against the orders' own rows.</param>
    public static async Task<AuditCheckResult> Run(
        OrderDesk desk,
        IReadOnlyCollection<SignedAuditHead> against,
        bool all,
        CancellationToken cancel
    )
    {
        var heads = new List<SignedAuditHead>(against) { SignedAuditHead.FromJson(await desk.AuditHeads.Head(cancel)) };
        if (all)
        {
            heads.AddRange((await desk.AuditHeads.Heads(IAuditHeadGrain.MaxHeads, cancel)).Select(SignedAuditHead.FromJson));
        }

        heads = [.. heads.DistinctBy(head => (head.Head.At, Convert.ToHexString(head.Signature.Span)))];
        var key = AuditPublicKey.FromPem(await desk.AuditHeads.PublicKey(cancel));
        var reading = new AuditReading(desk.Audit, await desk.Partitions(cancel));
        var report = await new AuditVerifier(reading, [key]).Verify(heads, cancel);
        var (orders, findings) = all ? await CheckOrders(desk, cancel) : (0, []);
        return new(report, findings, orders, heads.Count);
    }

    private static async Task<(long Orders, ImmutableArray<string> Findings)> CheckOrders(OrderDesk desk, CancellationToken cancel)
    {
        var findings = ImmutableArray.CreateBuilder<string>();
        var orders = 0L;
        for (var partition = 0; partition < await desk.Partitions(cancel); partition++)
        {
            for (OrderId? after = null; findings.Count < MaxFindings; )
            {
                var lines = await desk.Audit.Orders(partition, after, IAuditGrain.MaxOrders, cancel);
                foreach (var line in lines)
                {
                    orders++;
                    if (await Wrong(desk, line, cancel) is { } wrong && findings.Count < MaxFindings)
                    {
                        findings.Add(wrong);
                    }
                }

                if (lines.Length < IAuditGrain.MaxOrders)
                {
                    break;
                }

                after = lines[^1].Order;
            }
        }

        return (orders, findings.ToImmutable());
    }

    private static async Task<string?> Wrong(OrderDesk desk, AuditedOrderLine line, CancellationToken cancel)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (Wrong(line) is { } wrong)
        {
            // Its last change may not have come to the audit yet: the order's row and the audit's are not read at one moment.
            if (
                line.Versions.Length >= line.Version
                || patience.IsCancellationRequested
                || !await IsOnItsWay(desk, line.Order.Partition, cancel)
            )
            {
                return await Again(desk, line.Order, cancel) is { } now ? Wrong(now) : wrong;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancel);
            line = await Again(desk, line.Order, cancel) ?? line;
        }

        return null;
    }

    private static async Task<bool> IsOnItsWay(OrderDesk desk, int partition, CancellationToken cancel) =>
        (await desk.Subscribers.List(cancel)).Any(state =>
            state is { Name: IAuditGrain.Subscriber, Lag: > 0 } && state.Partition == partition
        );

    /// <summary>The line of this order, read again: the one after the id just below it.</summary>
    private static async Task<AuditedOrderLine?> Again(OrderDesk desk, OrderId order, CancellationToken cancel)
    {
        var before = new OrderId(order.Value[..^1] + (char)(order.Value[^1] - 1));
        return (await desk.Audit.Orders(order.Partition, before, 2, cancel)).FirstOrDefault(line => line.Order == order);
    }

    private static string? Wrong(AuditedOrderLine line)
    {
        for (var i = 0; i < line.Versions.Length; i++)
        {
            if (line.Versions[i] != i + 1)
            {
                return $"Order {line.Order}: the audit has version {line.Versions[i]} where version {i + 1} belongs.";
            }
        }

        if (line.Versions.Length != line.Version)
        {
            return $"Order {line.Order} is at version {line.Version}; the audit has {line.Versions.Length} of its versions.";
        }

        AuditedOrder last;
        try
        {
            last = AuditedOrder.Decode(AuditEntry.Decode(line.Last).Payload.Span);
        }
        catch (FormatException e)
        {
            return $"Order {line.Order}: its last entry cannot be read. {e.Message}";
        }

        return
            last.Status == line.Status
            && last.Currency == line.Currency
            && last.Total == line.Total
            && last.LinesHash.ToString() == line.Hash
            ? null
            : $"Order {line.Order} is {line.Status}, {line.Total} {line.Currency}; its last entry says {last.Status}, "
                + $"{last.Total} {last.Currency}{(last.LinesHash.ToString() == line.Hash ? "" : ", and other lines")}.";
    }
}
