using Grains.Interfaces.Crawling;
using Grains.Interfaces.Orders;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Listener;

/// <summary>Hears of the changes of orders of one partition. The key is the partition's number.</summary>
public interface IOrderListener : IGrainWithIntegerKey;

/// <summary>Hears of the pages of some hosts. The key is a number from 0 to <see cref="CrawlStreams.PagePartitions"/>.</summary>
public interface IPageListener : IGrainWithIntegerKey;

/// <summary>
/// An event comes at most once: one that is lost with its silo is not told again. What must not be missed is read from a cursor instead
/// (<c>OrdersClient.Watch</c>), or handled by a subscriber (<c>samples/Subscriber</c>).
/// </summary>
[ImplicitStreamSubscription(OrderStreams.Changes)]
[GrainType("sample-order-listener")]
public sealed class OrderListenerGrain : Grain, IOrderListener, IStreamSubscriptionObserver
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<OrdersChanged>()
            .ResumeAsync(events =>
            {
                // A handler returns at once and never throws: the stream's other events wait for it.
                foreach (var change in events.SelectMany(changed => changed.Item.Changes))
                {
                    Console.WriteLine($"heard {change.OrderId} {change.Type}");
                }

                return Task.CompletedTask;
            });
}

/// <inheritdoc cref="OrderListenerGrain"/>
[ImplicitStreamSubscription(CrawlStreams.Pages)]
[GrainType("sample-page-listener")]
public sealed class PageListenerGrain : Grain, IPageListener, IStreamSubscriptionObserver
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<PagesFinished>()
            .ResumeAsync(events =>
            {
                foreach (var page in events.SelectMany(finished => finished.Item.Pages))
                {
                    Console.WriteLine($"heard {page.Status} {page.Url}");
                }

                return Task.CompletedTask;
            });
}
