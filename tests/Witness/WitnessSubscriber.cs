using Grains.Orders.Consumers;

namespace Witness;

/// <summary>
/// Fails with the first attempt at one change in twenty, and for good with orders of a customer whose name says so, until there is a file
/// of that name in a folder.
/// </summary>
/// <param name="mended">The folder; null: nobody's orders are mended.</param>
internal sealed class WitnessSubscriber(string? mended) : IOrderSubscriber
{
    public ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
    {
        if (
            handling.Change.Order.Customer is var customer
            && customer.StartsWith("fails", StringComparison.Ordinal)
            && !(mended is not null && File.Exists(Path.Combine(mended, customer)))
        )
        {
            return new(DeliveryResult.Failed("told to fail", "The customer's name says so."));
        }

        return
            handling.Attempt == 1
            && handling.Change.OrderId.Value[^1] is '3'
            && handling.Change.Order.Customer.StartsWith("again", StringComparison.Ordinal)
            ? new(DeliveryResult.Later("told to wait", "It is the first attempt."))
            : new(DeliveryResult.Done());
    }
}

internal sealed class PlainSubscriber : IOrderSubscriber
{
    public ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel) => new(DeliveryResult.Done());
}
