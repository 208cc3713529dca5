using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders.Rows;

namespace Grains.Orders.Feed;

/// <summary>What the feed knows of one order: as it will be once everything that waits is durable.</summary>
public sealed class OrderEntry(OrderId id, OrderRow? row)
{
    /// <summary>
    /// Refused steps of one order whose answers are kept; the oldest goes first. Taken ones are all kept: an order has five at most.
    /// </summary>
    public const int MaxRefusals = 32;

    public OrderId Id => id;

    /// <summary>Null while there is none of this id.</summary>
    public Order? Order { get; private set; } = row?.Order;

    public ImmutableArray<StepRow> Steps { get; private set; } = row?.Steps ?? [];

    public long Version => Order?.Version ?? 0;

    /// <summary>Steps that are not durable yet.</summary>
    public int Waiting { get; set; }

    /// <summary>Completes when everything that was asked so far is durable.</summary>
    public Task Durable { get; set; } = Task.CompletedTask;

    /// <summary>The step that was answered under this id; null when there was none.</summary>
    public StepRow? Find(StepId step)
    {
        foreach (var known in Steps)
        {
            if (known.Id == step.Value)
            {
                return known;
            }
        }

        return null;
    }

    /// <summary>The order as an answered step left it.</summary>
    public Order After(StepRow step) =>
        step.Version == Version ? Order! : Order! with { Version = step.Version, Status = step.Status, UpdatedAt = step.At, Reason = null };

    /// <summary>
    /// What is personal goes, also from what tells a repeat of the order's placing: who repeats that later is told that the key was used
    /// for something else.
    /// </summary>
    public void Erase()
    {
        Order = Erasure.Of(Order!);
        Steps = [.. Steps.Select(step => !Enum.TryParse<OrderStep>(step.Mark, out _) ? step with { Mark = Erasure.Customer } : step)];
    }

    public void Take(FeedRequest request)
    {
        Order = request.Order;
        if (string.IsNullOrEmpty(request.Id.Value))
        {
            return; // Nobody asked for it, and nobody will ask again.
        }

        if (request.Refusal != OrderRefusal.None && Steps.Count(step => step.Refusal != OrderRefusal.None) >= MaxRefusals)
        {
            Steps = Steps.Remove(Steps.First(step => step.Refusal != OrderRefusal.None));
        }

        Steps = Steps.Add(new(request.Id.Value, request.Mark, request.Refusal, Version, Order.Status, Order.UpdatedAt));
    }
}
