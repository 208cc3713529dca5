using Doubles;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Webhooks;
using Xunit;

namespace Cluster.Orders;

/// <summary>What an endpoint's owner does: edits, pauses, has sent again, and hears of other endpoints.</summary>
public sealed class WebhookOwnerTests(WebhookCluster cluster) : IClassFixture<WebhookCluster>, IAsyncLifetime
{
    /// <summary>Less than the wait before a second try.</summary>
    private static readonly TimeSpan AlmostFirstWait = TimeSpan.FromSeconds(4);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>No test tells the endpoints of another.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var endpoint in await cluster.Webhooks.List())
        {
            await cluster.Webhooks.Remove(endpoint.Id);
        }
    }

    [Fact]
    public async Task FromTheAnswerOnAnEndpointIsToldOfWhatItAsksForAnew()
    {
        var id = await Add("edited", "shipped");
        var before = await cluster.Placed();
        await Passed(before);

        var edited = await cluster.Webhooks.Edit(id, new(Events: ["placed"]));
        Assert.Equal(["order.placed"], edited.Endpoint!.Events);
        var after = await cluster.Placed();
        await Sent("edited", 1);
        Assert.Equal($"msg_{after.Id}_1", Assert.Single(cluster.Sender.To("edited")).Message.Id);
    }

    [Fact]
    public async Task AnEditedUrlIsWhereTheNextRequestGoes()
    {
        var id = await Add("moved-from");
        await cluster.Webhooks.Edit(id, new("https://moved-to/"));
        await cluster.Placed();
        await Sent("moved-to", 1);
        Assert.Empty(cluster.Sender.To("moved-from"));
        Assert.Equal("url", (await cluster.Webhooks.Edit(id, new("ftp://moved-to/"))).Refused);
        Assert.Null(
            (await cluster.Webhooks.Edit("0123456789", new("https://moved-to/"))) is { Endpoint: null, Error: null } ? null : "found"
        );
    }

    [Fact]
    public async Task ARateOfItsOwnIsTheEndpointsAndSurvivesItsActivation()
    {
        var id = await Add("paced");
        await cluster.Webhooks.Edit(id, new(PerSecond: 8));
        Assert.Equal((8.0, 0.5), await Rate(id)); // A sixteenth at first.
        await cluster.Deactivate(cluster.Webhook(id));
        Assert.Equal((8.0, 0.5), await Rate(id));
        await cluster.Webhooks.Edit(id, new(PerSecond: 0));
        Assert.Equal((null, WebhookCluster.PerSecond / 16), await Rate(id));
    }

    [Fact]
    public async Task WhatComesDuringAPauseWaitsAndIsSentAfterIt()
    {
        var id = await Add("pauses");
        Assert.NotNull((await cluster.Webhook(id).Pause())!.PausedSince);
        var order = await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Pay);
        await cluster.Clock.PassUntil(
            "the partition to stand",
            async () =>
                (await cluster.Subscriber(id, order.Id.Partition).Show()).Halt is { } halt
                && halt.Contains("paused", StringComparison.Ordinal),
            reach: AlmostFirstWait
        );
        Assert.Empty(cluster.Sender.To("pauses"));

        Assert.Null((await cluster.Webhook(id).Resume())!.PausedSince);
        await cluster.Clock.PassUntil("both changes to be sent", () => cluster.Sender.To("pauses").Count == 2);
        var state = await cluster.Subscriber(id, order.Id.Partition).Show();
        Assert.Empty(state.Dead);
    }

    [Fact]
    public async Task WhatWasDeliveredIsSentAgainUnderTheSameId()
    {
        var id = await Add("again");
        var order = await cluster.Placed();
        await Delivered(id, order);
        var name = WebhookForm.SubscriberOf(id);

        Assert.Equal(new ResentReply(1, 0, null), await cluster.Subscribers.Resend(new(name, order.Id), "ann"));
        await Sent("again", 2);
        Assert.Single(cluster.Sender.To("again").Select(sent => sent.Message.Id).Distinct());
        await Delivered(id, order);

        Assert.Equal(1, (await cluster.Subscribers.Resend(new(name, Since: order.PlacedAt), "ann")).Count);
        await Sent("again", 3);
        await Delivered(id, order);
        Assert.Equal(0, (await cluster.Subscribers.Resend(new(name, Since: cluster.Clock.GetUtcNow().AddDays(1)), "ann")).Count);
        Assert.NotNull((await cluster.Subscribers.Resend(new("webhook-0000000000", Since: order.PlacedAt), "ann")).Error);
        Assert.NotNull((await cluster.Subscribers.Resend(new(name), "ann")).Error);
    }

    [Fact]
    public async Task OtherEndpointsThatAskForItAreToldWhatHappensToOne()
    {
        var watched = await Add("watched");
        await Add("watcher", WebhookEvents.Failing, WebhookEvents.Disabled, WebhookEvents.Recovered, WebhookEvents.Rotated);
        await Add("stranger");
        await cluster.Webhook(watched).Rotate(null);
        await Sent("watcher", 1);
        cluster.Sender.Answer("watched", 410);
        await cluster.Placed();
        await Sent("watcher", 3);
        await cluster.Webhook(watched).Enable();
        await Sent("watcher", 4);

        var told = cluster.Sender.To("watcher").Select(sent => sent.Message).ToList();
        Assert.Equal(
            new[] { "webhook.disabled", "webhook.failing", "webhook.recovered", "webhook.rotated" },
            told.Select(message => message.Type).Order()
        );
        Assert.All(told, message =>
            Assert.Contains($"\"id\":\"{watched}\"", System.Text.Encoding.UTF8.GetString(message.Body.Span), StringComparison.Ordinal)
        );
        Assert.Equal(4, told.Select(message => message.Id).Distinct().Count());
        Assert.DoesNotContain(cluster.Sender.To("watched"), sent => sent.Message.Type.StartsWith("webhook.", StringComparison.Ordinal));
        Assert.DoesNotContain(cluster.Sender.To("stranger"), sent => sent.Message.Type.StartsWith("webhook.", StringComparison.Ordinal));
        await cluster.Clock.PassUntil("nothing to be left untold", async () => (await cluster.Webhook(watched).Show())!.Untold == 0);
    }

    [Fact]
    public async Task WhatHappensWhileOthersAreBeingToldIsToldWhenThatIsOver()
    {
        var watched = await Add("busy");
        await Add("slow-watcher", WebhookEvents.Rotated);
        var held = new TaskCompletionSource();
        cluster.Sender.Answer("slow-watcher", async _ =>
        {
            await held.Task;
            return WebhookOutcome.Answered(204, null, cluster.Clock.GetUtcNow());
        });
        await cluster.Webhook(watched).Rotate(null);
        await Sent("slow-watcher", 1);
        cluster.Clock.Pass(TimeSpan.FromSeconds(1));
        await cluster.Webhook(watched).Rotate(null);

        held.SetResult();
        await VirtualClock.StandUntil("the second event, at once", () => cluster.Sender.To("slow-watcher").Count == 2);
    }

    [Fact]
    public async Task WhatAWatcherDidNotTakeIsToldAgainUnderTheSameIdAfterARestartToo()
    {
        var watched = await Add("restarts");
        await Add("deaf-watcher", WebhookEvents.Rotated);
        cluster.Sender.Answer("deaf-watcher", 500);
        await cluster.Webhook(watched).Rotate(null);
        await Sent("deaf-watcher", 1);
        await cluster.Clock.PassUntil("the try to be counted", async () => (await cluster.Webhook(watched).Show())!.Untold == 1);
        await cluster.Deactivate(cluster.Webhook(watched));

        cluster.Sender.Answer("deaf-watcher", 204);
        cluster.Clock.Pass(TimeSpan.FromSeconds(6));
        await cluster.Webhooks.Wake();
        await cluster.Clock.PassUntil("the event to be told", async () => (await cluster.Webhook(watched).Show())!.Untold == 0);
        Assert.Single(cluster.Sender.To("deaf-watcher").Select(sent => sent.Message.Id).Distinct());
        Assert.Equal(2, cluster.Sender.To("deaf-watcher").Count);
    }

    [Fact]
    public async Task ATimeLineHasEachTryWithWhatWasAnswered()
    {
        var id = await Add("lines");
        cluster.Sender.Answer("lines", _ =>
            Task.FromResult(WebhookOutcome.Answered(200, null, cluster.Clock.GetUtcNow()) with { Answer = "thanks" })
        );
        var order = await cluster.Placed();
        await Delivered(id, order);
        var timeline = (await cluster.Subscribers.Timeline(order.Id))!;
        var name = WebhookForm.SubscriberOf(id);

        Assert.Equal(
            [
                (OrderTimelineKind.Change, "order.placed", null),
                (OrderTimelineKind.Try, "order.placed", "thanks"),
                (OrderTimelineKind.Delivery, $"{name}.delivered", null),
            ],
            timeline.Entries.Select(entry => (entry.Kind, entry.What, entry.Answer))
        );
        Assert.Null(await cluster.Subscribers.Timeline(cluster.NewKey().OrderId(OrderCluster.Partitions)));
    }

    private async Task<string> Add(string host, params string[] events) =>
        (await cluster.Webhooks.Add(new($"https://{host}/", [.. events], null))).Endpoint!.Id;

    private async Task<(double? Set, double Now)> Rate(string id) =>
        (await cluster.Webhook(id).Show()) is { } shown ? (shown.PerSecond, shown.Rate) : default;

    /// <summary>The list is woken meanwhile, as every silo does: what an endpoint's rate held back is told then.</summary>
    private Task Sent(string host, int count) =>
        cluster.Clock.PassUntil(
            $"{count} requests to {host}",
            async () =>
            {
                await cluster.Webhooks.Wake();
                return cluster.Sender.To(host).Count >= count;
            },
            reach: AlmostFirstWait
        );

    private Task Passed(Order order) =>
        cluster.Clock.PassUntil($"everybody to be past {order.Id}", async () =>
            (await cluster.Subscribers.List()).Where(state => state.Partition == order.Id.Partition).All(state => state.Lag == 0)
        );

    private Task Delivered(string id, Order order) =>
        cluster.Clock.PassUntil($"{order.Id} to be delivered", async () =>
            (await cluster.Subscriber(id, order.Id.Partition).Deliveries(order.Id)).FirstOrDefault() is { Status: DeliveryStatus.Delivered }
        );
}
