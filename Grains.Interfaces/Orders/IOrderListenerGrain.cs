namespace Grains.Interfaces.Orders;

/// <summary>
/// Passes on to the subscribers what one partition's feed announces on <see cref="OrderStreams.Changes"/>. The key is the partition's
/// number.
/// </summary>
[Alias("orders.IOrderListenerGrain")]
public interface IOrderListenerGrain : IGrainWithIntegerKey;
