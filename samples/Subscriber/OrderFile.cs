using Grains.Orders.Consumers;

namespace Subscriber;

/// <summary>
/// Writes a line for each change of one partition into a file. After a crash a line may come again: a reader knows it by order and version.
/// </summary>
internal sealed class OrderFile(string path) : IOrderSubscriber
{
    public async ValueTask<DeliveryResult> Handle(Handling handling, CancellationToken cancel)
    {
        var change = handling.Change;
        await File.AppendAllTextAsync(path, $"{change.OrderId} {change.Version} {change.Type}\n", cancel);
        // An exception, a full disk for one, means that the change is handled again later; others go on.
        return DeliveryResult.Done();
    }
}
