using Grains.Interfaces.Books;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Consumers;
using Microsoft.Extensions.DependencyInjection;
using Silo.Orders;
using Xunit;

namespace Cluster.Orders;

/// <summary>Orders with the audit and one channel more than the product has.</summary>
public sealed class ChannelCluster : OrderCluster
{
    public RecordingTextSender Sender { get; } = new();

    protected override void AddSubscribers(IServiceCollection services)
    {
        services.AddOrderSubscriber(AuditSubscriber.Rules, (_, partition) => new AuditSubscriber(partition));
        services.AddOrderSubscriber(TextSubscriber.Rules, (_, _) => new TextSubscriber(Sender));
    }
}

/// <summary>
/// A further channel is a class and a registration; retries, dead letters, deliveries, audit, books and sending again come with it.
/// </summary>
public sealed class ChannelTests(ChannelCluster cluster) : IClassFixture<ChannelCluster>
{
    [Fact]
    public async Task AShippedOrderIsToldOnceAndTheAuditHasIt()
    {
        var order = await Shipped("0043 1");
        var delivery = await Delivery(order, DeliveryStatus.Delivered);
        Assert.Equal((3L, "order.shipped", "taken", 1), (delivery.Version, delivery.Type, delivery.Reason, delivery.Attempts));
        Assert.Single(cluster.Sender.Tried, tried => tried.Id == $"{order.Id}.3");

        OrderTimeline? timeline = null;
        await cluster.Clock.PassUntil("the audit to have the delivery", async () =>
            (timeline = await cluster.Subscribers.Timeline(order.Id))!.Entries.Any(entry =>
                entry is { What: "texts.delivered", AuditIndex: not null }
            )
        );
        Assert.Equal(3, timeline!.Entries.Count(entry => entry is { Kind: OrderTimelineKind.Change, AuditIndex: not null }));
        Assert.Equal("OK", timeline.Entries.Single(entry => entry.Kind == OrderTimelineKind.Try).Answer);
    }

    [Fact]
    public async Task ABusyGatewayIsTriedAgainUnderTheSameIdAndNobodyIsADeadLetter()
    {
        var (busy, nobody) = (await Shipped("busy"), await Shipped("nobody"));
        var delivered = await Delivery(busy, DeliveryStatus.Delivered);
        Assert.Equal(["busy: The gateway was busy.", "taken: The gateway took it."], delivered.Tries.Select(tried => tried.What));
        Assert.Equal(2, cluster.Sender.Tried.Count(tried => tried.Id == $"{busy.Id}.3"));
        Assert.Equal("no-number", (await Delivery(nobody, DeliveryStatus.Dead)).Reason);
    }

    [Fact]
    public async Task AGatewayThatIsDownUsesUpNoAttempt()
    {
        cluster.Sender.IsDown = true;
        var order = await Shipped("0043 2");
        await cluster.Clock.PassUntil("the cursor to stand", async () =>
            (await Grain(order).Show()).Halt?.Contains("gateway-down", StringComparison.Ordinal) == true
        );
        cluster.Sender.IsDown = false;
        Assert.Equal(1, (await Delivery(order, DeliveryStatus.Delivered)).Attempts);
    }

    [Fact]
    public async Task WhatWasToldIsToldOnceMoreOnRequest()
    {
        var order = await Shipped("0043 3");
        await Delivery(order, DeliveryStatus.Delivered);
        Assert.Equal(1, (await cluster.Subscribers.Resend(new(TextSubscriber.Name, order.Id), "ann")).Count);
        await cluster.Clock.PassUntil("the second message", () => cluster.Sender.Tried.Count(tried => tried.Id == $"{order.Id}.3") == 2);
        await Delivery(order, DeliveryStatus.Delivered);
    }

    [Fact]
    public async Task TheBooksHaveALineForItThatBalances()
    {
        var order = await Shipped("0043 4");
        await Delivery(order, DeliveryStatus.Delivered);
        Account? account = null;
        await cluster.Clock.PassUntil("the books to balance with a message in them", async () =>
            (
                account = (
                    await new SubscriberAccounts(
                        cluster.Grains,
                        new SubscriberCatalog([new(TextSubscriber.Rules, _ => new TextSubscriber(cluster.Sender))], [])
                    ).Read(CancellationToken.None)
                ).Single(one => one.Name == "notifications by texts")
            )
                is { Done: > 0 }
        );
        Assert.True(account!.Balances);
    }

    private async Task<Order> Shipped(string number)
    {
        var order = await cluster.Placed(OrderCluster.Asked() with { Notes = number });
        await cluster.Take(order.Id, OrderStep.Pay);
        return (await cluster.Take(order.Id, OrderStep.Ship)).Order!;
    }

    private ISubscriberGrain Grain(Order order) =>
        cluster.Grains.GetGrain<ISubscriberGrain>(new SubscriberKey(TextSubscriber.Name, order.Id.Partition).ToString());

    private async Task<Delivery> Delivery(Order order, DeliveryStatus status)
    {
        Delivery? found = null;
        await cluster.Clock.PassUntil($"{order.Id} to be {status}", async () =>
            (found = (await Grain(order).Deliveries(order.Id)).FirstOrDefault(delivery => delivery.Status == status)) is not null
        );
        return found!;
    }
}
