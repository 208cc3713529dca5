using System.Collections.Concurrent;
using System.Globalization;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Rows;

namespace Cluster.Orders;

/// <summary>What became of a text message after a try.</summary>
public enum TextOutcome
{
    Taken,

    /// <summary>The gateway wants to be asked again later.</summary>
    Busy,

    /// <summary>The gateway is down: nothing was tried.</summary>
    Down,

    /// <summary>There is no such number.</summary>
    NoNumber,
}

/// <summary>Tries once to hand a text message to a gateway. What it comes to is a value; only a cancelled call throws.</summary>
public interface ITextSender
{
    /// <param name="id">The same on every try: the gateway knows a repeat by it.</param>
    Task<TextOutcome> Send(string id, string number, string text, CancellationToken cancel);
}

/// <summary>
/// The example of a channel (docs/how-to/add-a-channel.md): tells customers by text message that an order is shipped. The number is the
/// order's notes, for
/// orders have none.
/// </summary>
public sealed class TextSubscriber(ITextSender sender) : IOrderSubscriber
{
    public const string Name = "texts";

    public static SubscriberRules Rules { get; } =
        new()
        {
            Name = Name,
            Channel = Name,
            FromStart = true,
            KeepsOrder = true,
            Backoff = [TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)],
        };

    public async ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
    {
        var (change, order) = (handling.Change, handling.Change.Order);
        if (order.Status != OrderStatus.Shipped)
        {
            return DeliveryResult.Filtered();
        }

        if (Erasure.IsDone(order))
        {
            return DeliveryResult.Suppressed("erased", "What is personal of the order was erased.");
        }

        if (order.Notes is not { Length: > 0 } number)
        {
            return DeliveryResult.Failed("no-number", "The order has no number.");
        }

        var id = string.Create(CultureInfo.InvariantCulture, $"{change.OrderId}.{change.Version}");
        return await sender.Send(id, number, "Your order is on its way.", cancel) switch
        {
            TextOutcome.Taken => DeliveryResult.Delivered("taken", "The gateway took it.").With("OK"),
            TextOutcome.Busy => DeliveryResult.Later("busy", "The gateway was busy."),
            TextOutcome.Down => DeliveryResult.Deferred("gateway-down", "The gateway is down.", TimeSpan.FromSeconds(30)),
            TextOutcome.NoNumber => DeliveryResult.Failed("no-number", "There is no such number."),
            var other => throw new InvalidOperationException($"A gateway answered \"{other}\"."),
        };
    }
}

/// <summary>Writes down what it is given, and answers by the number: the first tries of a busy one fail.</summary>
public sealed class RecordingTextSender : ITextSender
{
    public ConcurrentQueue<(string Id, string Number)> Tried { get; } = new();

    public bool IsDown { get; set; }

    public Task<TextOutcome> Send(string id, string number, string text, CancellationToken cancel)
    {
        if (IsDown)
        {
            return Task.FromResult(TextOutcome.Down);
        }

        Tried.Enqueue((id, number));
        var tries = Tried.Count(tried => tried.Id == id);
        return Task.FromResult(
            number switch
            {
                "nobody" => TextOutcome.NoNumber,
                "busy" when tries < 2 => TextOutcome.Busy,
                _ => TextOutcome.Taken,
            }
        );
    }
}
