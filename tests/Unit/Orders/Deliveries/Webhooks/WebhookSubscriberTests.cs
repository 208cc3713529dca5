using System.Collections.Immutable;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Orders.Rows;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

/// <summary>What an endpoint's grain answers, and what the machinery of subscribers hears of it.</summary>
public sealed class WebhookSubscriberTests
{
    private static readonly OrderChange Placed = new(1, Given.Placed(), null, null);

    private readonly Endpoint _endpoint = new();

    [Theory]
    [InlineData(WebhookSent.Delivered, null, DeliveryOutcome.Done, "http-204", null)]
    [InlineData(WebhookSent.NotNow, 7.0, DeliveryOutcome.Deferred, "http-204", 7.0)]
    [InlineData(WebhookSent.NotNow, null, DeliveryOutcome.Deferred, "http-204", 2.0)]
    [InlineData(WebhookSent.Failed, null, DeliveryOutcome.Later, "http-204", null)]
    [InlineData(WebhookSent.Failed, 120.0, DeliveryOutcome.Later, "http-204", 120.0)]
    [InlineData(WebhookSent.Disabled, null, DeliveryOutcome.Failed, "endpoint-disabled", null)]
    public async Task AnAnswerBecomes(WebhookSent sent, double? after, DeliveryOutcome outcome, string reason, double? wait)
    {
        _endpoint.Reply = new(sent, "http-204", "So it was.", after is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        var handled = await Handle();
        Assert.Equal((outcome, reason, "So it was.", wait), (handled.Outcome, handled.Reason, handled.Detail, handled.After?.TotalSeconds));
    }

    [Fact]
    public async Task WhatWasTakenIsDelivered()
    {
        _endpoint.Reply = new(WebhookSent.Delivered, "http-204", "Answered 204.", null);
        Assert.Equal(DoneAs.Delivered, (await Handle()).As);
        Assert.Equal([Placed], _endpoint.Sent);
    }

    [Fact]
    public async Task WhatIsNotWantedIsNotSent()
    {
        _endpoint.Wanted = ["order.paid"];
        Assert.Equal(DoneAs.Filtered, (await Handle()).As);
        Assert.Empty(_endpoint.Sent);
    }

    [Fact]
    public async Task WhatIsAskedForAnewIsSentFromTheReloadOn()
    {
        _endpoint.Wanted = ["order.paid"];
        _endpoint.Reply = new(WebhookSent.Delivered, "http-204", "Answered 204.", null);
        var subscriber = new WebhookSubscriber(_endpoint, IsUnreached);
        Assert.Equal(DoneAs.Filtered, (await subscriber.Handle(new(Placed, 1), CancellationToken.None)).As);

        _endpoint.Wanted = ["order.placed"];
        Assert.Equal(DoneAs.Filtered, (await subscriber.Handle(new(Placed, 1), CancellationToken.None)).As);
        subscriber.Reload();
        Assert.Equal(DoneAs.Delivered, (await subscriber.Handle(new(Placed, 1), CancellationToken.None)).As);
    }

    [Fact]
    public async Task AnEndpointThatAsksOnlyForWhatHappensToOthersIsToldOfNoOrder()
    {
        _endpoint.Wanted = ["webhook.disabled"];
        Assert.Equal(DoneAs.Filtered, (await Handle()).As);
    }

    [Fact]
    public async Task WhatTheEndpointAnsweredIsKeptWithTheTry()
    {
        _endpoint.Reply = new(WebhookSent.Failed, "http-500", "Answered 500.", null) { Answer = "no such table" };
        Assert.Equal("no such table", (await Handle()).Answer);
    }

    [Fact]
    public async Task OneThatWasRemovedIsSentNothing()
    {
        _endpoint.Wanted = null;
        Assert.Equal(DoneAs.Filtered, (await Handle()).As);
        Assert.Empty(_endpoint.Sent);
    }

    [Fact]
    public async Task AnErasedOrderIsStillTold()
    {
        _endpoint.Reply = new(WebhookSent.Delivered, "http-204", "Answered 204.", null);
        var erased = Placed with { Order = Erasure.Of(Placed.Order) };
        Assert.Equal(DoneAs.Delivered, (await Handle(erased)).As);
        Assert.Equal("erased", Assert.Single(_endpoint.Sent).Order.Customer);
    }

    [Fact]
    public async Task AGrainThatCannotBeReachedIsNoAttempt()
    {
        foreach (var failure in new Exception[] { new TimeoutException(), new Orleans.Runtime.OrleansException("gone"), new IOException() })
        {
            _endpoint.Failure = failure;
            var handled = await Handle();
            Assert.Equal(
                (DeliveryOutcome.Deferred, "endpoint-unreached", 2.0),
                (handled.Outcome, handled.Reason, handled.After!.Value.TotalSeconds)
            );
        }
    }

    [Fact]
    public async Task WhatNobodyForesawIsAnAttemptThatFailed()
    {
        _endpoint.Failure = new InvalidOperationException("A mistake.");
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Handle());
    }

    [Fact]
    public async Task TheFamilyKnowsWhoIsThere()
    {
        var family = WebhookSubscriber.Family(new WebhooksOptions().Waits, _ => _endpoint, IsUnreached);
        var entry = family.Find("webhook-0123456789");
        Assert.Equal(
            ("webhook-0123456789", "webhooks", false, 8),
            (entry.Rules.Name, entry.Rules.Channel, entry.Rules.KeepsOrder, entry.Rules.AtOnce)
        );
        Assert.Equal(9, entry.Rules.Backoff.Count);
        Assert.True(await entry.IsThere!(CancellationToken.None));
        _endpoint.Wanted = null;
        Assert.False(await entry.IsThere(CancellationToken.None));
        _endpoint.Wanted = [];
        Assert.False(await family.Find("webhook-Nobody").IsThere!(CancellationToken.None));
    }

    /// <summary>Standard Webhooks 1.0, "Retry schedule": ten tries, the first at once.</summary>
    [Fact]
    public void TheDefaultSettingsAreTheStandardSchedule() =>
        Assert.Equal(
            ["00:00:05", "00:05:00", "00:30:00", "02:00:00", "05:00:00", "10:00:00", "14:00:00", "20:00:00", "1.00:00:00"],
            new WebhooksOptions().Waits.Select(wait => wait.ToString())
        );

    private async Task<DeliveryResult> Handle(OrderChange? change = null)
    {
        var subscriber = new WebhookSubscriber(_endpoint, IsUnreached);
        return await subscriber.Handle(new(change ?? Placed, 1), CancellationToken.None);
    }

    private static bool IsUnreached(Exception failure) => failure is TimeoutException or OrleansException or IOException;

    private sealed class Endpoint : IWebhookEndpointGrain
    {
        public ImmutableArray<string>? Wanted { get; set; } = ImmutableArray<string>.Empty;

        public WebhookReply? Reply { get; set; }

        public Exception? Failure { get; set; }

        public List<OrderChange> Sent { get; } = [];

        public Task<WebhookReply> Send(OrderChange change, CancellationToken cancel = default)
        {
            Sent.Add(change);
            return Failure is null ? Task.FromResult(Reply!) : Task.FromException<WebhookReply>(Failure);
        }

        public Task<ImmutableArray<string>?> Events(CancellationToken cancel = default) => Task.FromResult(Wanted);

        public Task<WebhookEdited> Edit(EditWebhook change, CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<WebhookEndpoint?> Pause(CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<WebhookEndpoint?> Resume(CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<WebhookReply> Notify(EndpointEvent happened, CancellationToken cancel = default) => throw new NotSupportedException();

        public Task Announce() => throw new NotSupportedException();

        public Task<WebhookEndpoint?> Show(CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<WebhookRotated?> Rotate(string? secret, CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<WebhookEndpoint?> Enable(CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<WebhookTested?> Test(CancellationToken cancel = default) => throw new NotSupportedException();

        public Task<bool> Remove(CancellationToken cancel = default) => throw new NotSupportedException();
    }
}
