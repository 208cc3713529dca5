namespace Grains.Interfaces.Orders;

/// <summary>
/// Hears what <see cref="OrderStreams.Changes"/> carries for one partition and passes it on to the processes in which somebody watches: a
/// stream has one listener in the
/// cluster, and watchers are everywhere. The key is the partition's number. It keeps nothing.
/// </summary>
[Alias("orders.IOrderRelayGrain")]
public interface IOrderRelayGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Tells the listener of changes for a minute from now; asked again, from then on. Of more than <see cref="MaxListeners"/> none is told
    /// more than those.
    /// </summary>
    [Alias("Listen")]
    Task Listen(IOrderListener listener, CancellationToken cancel = default);

    const int MaxListeners = 1000;
}

/// <summary>A process in which somebody watches.</summary>
[Alias("orders.IOrderListener")]
public interface IOrderListener : IGrainObserver
{
    /// <summary>At most once, and perhaps late.</summary>
    [Alias("Changed"), Orleans.Concurrency.OneWay]
    Task Changed(OrdersChanged changed);
}
