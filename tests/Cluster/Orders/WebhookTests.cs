using Doubles;
using Doubles.Storage;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries;
using Grains.Orders.Deliveries.Webhooks;
using Grains.Orders.Rows;
using Grains.Storage;
using Xunit;

namespace Cluster.Orders;

public sealed class WebhookTests(WebhookCluster cluster) : IClassFixture<WebhookCluster>, IAsyncLifetime
{
    /// <summary>Less than the wait before a second try.</summary>
    private static readonly TimeSpan AlmostFirstWait = TimeSpan.FromSeconds(4);

    /// <summary>After so long an endpoint's pace is full.</summary>
    private static readonly TimeSpan FullPace = SendRate.Step * 5;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>No test tells the endpoints of another.</summary>
    public async ValueTask DisposeAsync()
    {
        cluster.Store.FailCommitsWhen(static (_, _, _) => null);
        foreach (var endpoint in await cluster.Webhooks.List())
        {
            await cluster.Webhooks.Remove(endpoint.Id);
        }
    }

    [Fact]
    public async Task AnEndpointIsToldOfWhatItWantsFromTheAnswerOn()
    {
        var before = await cluster.Placed();
        var added = await Add("wants", "paid", "order.shipped", "paid");
        await cluster.Take(before.Id, OrderStep.Pay);
        var order = await cluster.Placed();
        await cluster.Take(order.Id, OrderStep.Pay);
        await Sent("wants", 2);

        Assert.Equal(["order.paid", "order.shipped"], added.Endpoint!.Events);
        Assert.Equal(
            new[] { $"msg_{before.Id}_2", $"msg_{order.Id}_2" }.Order(),
            cluster.Sender.To("wants").Select(sent => sent.Message.Id).Order()
        );
        Assert.All(cluster.Sender.To("wants"), sent =>
            Assert.Equal((added.Secret, "order.paid"), (Assert.Single(sent.Secrets).Text, sent.Message.Type))
        );
    }

    [Fact]
    public async Task WhatFailsIsTriedOnTheStandardScheduleUnderTheSameId()
    {
        var added = await Add("fails");
        cluster.Sender.Answer("fails", 500);
        var order = await cluster.Placed();
        var waits = await Exhausted(added, order);
        var dead = await Delivery(added, order, delivery => delivery.Status == DeliveryStatus.Dead);
        Assert.Equal(
            "5s 300s 1800s 7200s 18000s 36000s 50400s 72000s 86400s",
            string.Join(' ', waits.Select(wait => $"{wait.TotalSeconds}s"))
        );
        Assert.Equal((10, "http-500"), (dead.Attempts, dead.Reason));
        Assert.Equal(10, cluster.Sender.To("fails").Count);
        Assert.Single(cluster.Sender.To("fails").Select(sent => sent.Message.Id).Distinct());
        Assert.Equal((true, 10), (await Show(added) is { } shown ? (shown.IsEnabled, shown.Failures) : default));
    }

    [Theory]
    [InlineData("120")]
    [InlineData("date")]
    public async Task ALongerRetryAfterIsWaitedForInSecondsOrAsADate(string form)
    {
        var before = cluster.Sender.To("throttles").Count;
        var added = await Add("throttles");
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Sender.Answer("throttles", async _ =>
        {
            await asked.Task;
            return WebhookOutcome.Answered(
                503,
                form == "date" ? Whole(cluster.Clock.GetUtcNow()).AddMinutes(2).ToString("R") : form,
                cluster.Clock.GetUtcNow()
            );
        });
        var order = await cluster.Placed();
        await Sent("throttles", 1 + before);

        // From the answer on the clock stands still, so that it is known to the tick what "in two minutes" is.
        asked.SetResult();
        Delivery? waiting = null;
        await VirtualClock.StandUntil("the delivery to wait", async () =>
            (
                waiting = (await Deliveries(added, order)).FirstOrDefault(delivery =>
                    delivery.Next is not null && delivery.Attempts == 1 && !delivery.Tries.IsEmpty
                )
            )
                is not null
        );
        var (tried, next) = (waiting!.Tries[^1].At, waiting.Next!.Value);

        Assert.Equal(form == "date" ? Whole(tried).AddMinutes(2) : tried.AddMinutes(2), next);
        cluster.Sender.Answer("throttles", 204);
        await cluster.Clock.PassUntil("the second try", async () =>
            (await Deliveries(added, order)).Any(delivery => delivery.Status == DeliveryStatus.Delivered)
        );
        Assert.True(cluster.Sender.To("throttles")[^1].At >= next);
    }

    [Fact]
    public async Task A410DisablesAndWhatComesThenIsReplayedAfterItWasEnabled()
    {
        var added = await Add("gone");
        cluster.Sender.Answer("gone", 410);
        var first = await cluster.Placed();
        await cluster.Clock.PassUntil("the first dead letter", async () => await Dead(added) == 1);
        var second = await cluster.Placed();
        await cluster.Clock.PassUntil("the second dead letter", async () => await Dead(added) == 2);

        Assert.Equal(
            (false, "Answered 410: the endpoint says that it is gone for good."),
            await Show(added) is { } shown ? (shown.IsEnabled, shown.DisabledBecause) : default
        );
        Assert.Single(cluster.Sender.To("gone"));
        Assert.Equal(
            WebhookForm.DisabledReason,
            (await Delivery(added, second, delivery => delivery.Status == DeliveryStatus.Dead)).Reason
        );

        cluster.Sender.Answer("gone", 204);
        var enabled = await cluster.Webhook(added.Endpoint!.Id).Enable();
        var told = WebhookEnabledForm.Of(enabled!, WebhookDeliveriesForm.Of(await cluster.Desk.Subscriber(Name(added))));
        Assert.Equal(
            (true, 2, $"orders dead-letters replay --subscriber {Name(added)} --reason endpoint-disabled"),
            (told.Enabled, told.Dead, told.Replay)
        );
        Assert.Equal(new(2, 0), await cluster.Subscribers.Replay(new(Subscriber: Name(added), Reason: WebhookForm.DisabledReason), "ann"));
        await Sent("gone", 3);
        Assert.Equal(
            new[] { $"msg_{first.Id}_1", $"msg_{second.Id}_1" }.Order(),
            cluster.Sender.To("gone").Skip(1).Select(sent => sent.Message.Id).Order()
        );
        await cluster.Clock.PassUntil("no dead letter any more", async () => await Dead(added) == 0);
    }

    [Fact]
    public async Task FiveDaysOfNothingButFailuresDisable()
    {
        var added = await Add("down");
        cluster.Sender.Answer("down", WebhookFailure.Unreachable);
        await Exhausted(added, await cluster.Placed());
        var since = (await Show(added))!.FailingSince!.Value;
        cluster.Clock.PassTo(since + TimeSpan.FromDays(5) - TimeSpan.FromSeconds(30));
        await Delivery(
            added,
            await cluster.Placed(),
            delivery => delivery.Attempts == 1 && delivery.Next is not null,
            latest: cluster.Clock.GetUtcNow() + AlmostFirstWait
        );
        Assert.True((await Show(added))!.IsEnabled);
        cluster.Clock.PassTo(since + TimeSpan.FromDays(5));
        Assert.Equal(
            WebhookForm.DisabledReason,
            (await Delivery(added, await cluster.Placed(), delivery => delivery.Status == DeliveryStatus.Dead)).Reason
        );

        var disabled = (await Show(added))!;
        Assert.StartsWith("Nothing but failures since 2026-", disabled.DisabledBecause, StringComparison.Ordinal);
        Assert.Equal($"Disabled. {disabled.DisabledBecause}", disabled.History[^1].Text);
    }

    [Fact]
    public async Task ARotatedSecretSignsWithTheOldOneForADay()
    {
        var added = await Add("rotates");
        var rotated = (await cluster.Webhook(added.Endpoint!.Id).Rotate(null))!;
        await cluster.Placed();
        await Sent("rotates", 1);
        Assert.Equal([rotated.Secret, added.Secret], cluster.Sender.To("rotates")[0].Secrets.Select(secret => secret.Text));
        Assert.Equal(rotated.OldSecretUntil, (await Show(added))!.OldSecretUntil);
        Assert.Equal(
            "A webhook's secret begins with \"whsec_\" and goes on with 24 to 64 bytes in base64; this begins with something else.",
            (await cluster.Webhook(added.Endpoint.Id).Rotate("mine"))!.Error
        );

        cluster.Clock.Pass(TimeSpan.FromHours(24));
        await cluster.Placed();
        await Sent("rotates", 2);
        Assert.Equal([rotated.Secret], cluster.Sender.To("rotates")[1].Secrets.Select(secret => secret.Text));
        Assert.Null((await Show(added))!.OldSecretUntil);
    }

    [Fact]
    public async Task ADeadAndASlowOneHoldNobodyUp()
    {
        await Add("dead");
        await Add("slow");
        await Add("good");
        cluster.Sender.Answer("dead", WebhookFailure.Timeout);
        var gate = new Gate();
        cluster.Sender.Answer("slow", async cancel =>
        {
            await gate.Pass(cancel);
            return WebhookOutcome.Answered(204, null, cluster.Clock.GetUtcNow());
        });
        for (var i = 0; i < 20; i++)
        {
            await cluster.Placed();
        }

        await VirtualClock.StandUntil("the slow one to have its first request", gate.Reached);
        await Sent("good", 20);
        Assert.Single(cluster.Sender.To("slow"));
        gate.Open();
        await Sent("slow", 20);
        Assert.Equal(20, cluster.Sender.To("slow").Select(sent => sent.Message.Id).Distinct().Count());
    }

    [Fact]
    public async Task TheBacklogOfOneThatReturnsIsRampedAndNotDumped()
    {
        var added = await Add("returns");
        cluster.Sender.Answer("returns", WebhookFailure.Timeout);
        await AtFullPace(added);
        const int Orders = 60;
        for (var i = 0; i < Orders; i++)
        {
            await cluster.Placed();
        }

        await VirtualClock.StandUntil("the circuit to open", async () => (await Show(added))!.Circuit == "open");
        var tried = cluster.Sender.To("returns").Count;
        Assert.Equal(EndpointBreaker.Least, tried); // The rest wait, most of them in the feed.

        cluster.Sender.Answer("returns", 204);
        await cluster.Clock.PassUntil("all to be told", async () =>
            (await cluster.Desk.Subscriber(Name(added))).Sum(state => state.Done) == Orders
        );

        var after = cluster.Sender.To("returns").Skip(tried).ToList();
        Assert.Equal(Orders, after.Select(sent => sent.Message.Id).Distinct().Count());
        Assert.InRange(
            after.Count(sent => sent.At - after[0].At < SendRate.Step),
            1,
            (int)(WebhookCluster.PerSecond / 16 * SendRate.Step.TotalSeconds) + 2
        );
        Assert.True(cluster.Sender.MostInFlight("returns") <= WebhookCluster.MaxInFlight);
    }

    [Fact]
    public async Task RemovingTakesEverythingAwayAndALaterChangeDoesNotBringItBack()
    {
        var added = await Add("removed");
        cluster.Sender.Answer("removed", 410);
        var order = await cluster.Placed();
        await cluster.Clock.PassUntil("the dead letter", async () => await Dead(added) == 1);
        Assert.True(await cluster.Webhooks.Remove(added.Endpoint!.Id));
        await cluster.Take(order.Id, OrderStep.Pay);
        await cluster.Subscribers.Wake();
        for (var i = 0; i < 8; i++)
        {
            await cluster.Placed();
        }

        await cluster.Subscribers.Wake();
        for (var partition = 0; partition < OrderCluster.Partitions; partition++)
        {
            Assert.DoesNotContain(await cluster.Feed(partition).Subscribers(), listed => listed.Name == Name(added));
            Assert.Empty(
                await cluster.Store.Scan(SubscriberTable.Name, SubscriberTable.Partition(new(Name(added), partition)), KeyRange.All, 10)
            );
        }

        Assert.Null(await cluster.Store.Get(EndpointTable.Name, EndpointTable.Partition, added.Endpoint.Id));
        Assert.Null(await Show(added));
        Assert.Null(await cluster.Webhook(added.Endpoint.Id).Enable());
        Assert.Single(cluster.Sender.To("removed"));
        Assert.False(await cluster.Webhooks.Remove(added.Endpoint.Id));
    }

    [Fact]
    public async Task OneThatWasAddedHalfwayIsListedWithEveryFeedByTheNextWakeUp()
    {
        cluster.Store.FailCommitsWhen(
            (table, partition, changes) =>
                table == OrderTable.Name
                && partition == OrderTable.Partition(2)
                && changes.Any(change => change.Key.StartsWith(OrderTable.SubscriberPrefix + "webhook-", StringComparison.Ordinal))
                    ? CommitFailure.UnknownNotApplied
                    : null
        );
        await Assert.ThrowsAnyAsync<Exception>(() => Add("halfway"));
        cluster.Store.FailCommitsWhen(static (_, _, _) => null);
        var endpoint = Assert.Single(await cluster.Webhooks.List());
        await Listed(endpoint.Id, false);
        await cluster.Webhooks.Wake();
        await Listed(endpoint.Id, true);

        // The same where whoever added it has ended: the next activation looks, once.
        await cluster.Feed(1).Remove(WebhookForm.SubscriberOf(endpoint.Id));
        await cluster.Webhooks.Wake();
        Assert.DoesNotContain(await cluster.Feed(1).Subscribers(), listed => listed.Name == WebhookForm.SubscriberOf(endpoint.Id));
        await cluster.Deactivate(cluster.Webhooks);
        await cluster.Webhooks.Wake();
        await Listed(endpoint.Id, true);
        await cluster.Placed();
        await Sent("halfway", 1);
    }

    [Fact]
    public async Task WhatIsLeftOfOneThatWasRemovedHalfwayGoesWithTheNextWakeUp()
    {
        var added = await Add("left");
        await cluster.Placed();
        await Sent("left", 1);
        Assert.True(await cluster.Webhook(added.Endpoint!.Id).Remove());
        await cluster.Deactivate(cluster.Webhooks);
        await cluster.Webhooks.Wake();
        for (var partition = 0; partition < OrderCluster.Partitions; partition++)
        {
            Assert.DoesNotContain(await cluster.Feed(partition).Subscribers(), listed => listed.Name == Name(added));
            Assert.Empty(
                await cluster.Store.Scan(SubscriberTable.Name, SubscriberTable.Partition(new(Name(added), partition)), KeyRange.All, 10)
            );
        }
    }

    [Fact]
    public async Task ClocksThatJumpAnHourForthAndBackLoseNothing()
    {
        var added = await Add("jumps");
        cluster.Sender.Answer("jumps", WebhookFailure.Timeout);
        await AtFullPace(added);
        for (var i = 0; i < EndpointBreaker.Least; i++)
        {
            await cluster.Placed();
        }

        await VirtualClock.StandUntil("the circuit to open", async () => (await Show(added))!.Circuit == "open");
        cluster.Sender.Answer("jumps", 204);
        cluster.Clock.Set(cluster.Clock.GetUtcNow() + TimeSpan.FromHours(1));
        var forth = await cluster.Placed();
        await Delivery(added, forth, delivery => delivery.Status == DeliveryStatus.Delivered);
        cluster.Clock.Set(cluster.Clock.GetUtcNow() - TimeSpan.FromHours(1));
        var back = await cluster.Placed();
        await Delivery(added, back, delivery => delivery.Status == DeliveryStatus.Delivered);
        await cluster.Clock.PassUntil("all to be told", async () =>
            (await cluster.Desk.Subscriber(Name(added))).Sum(state => state.Done) == EndpointBreaker.Least + 2
        );
        Assert.True((await Show(added))!.IsEnabled);
    }

    [Fact]
    public async Task AStateThatOthersWroteIsReadAgainBeforeTheNextDecision()
    {
        var added = await Add("conflict");
        var id = added.Endpoint!.Id;
        await cluster.Webhook(id).Enable();
        var row = (await cluster.Store.Get(EndpointTable.Name, EndpointTable.Partition, id))!;
        var other = EndpointTable.Read(row).Disable("Somebody else said so.", cluster.Clock.GetUtcNow());
        await cluster.Store.Commit(
            EndpointTable.Name,
            EndpointTable.Partition,
            [RowChange.Replace(id, EndpointTable.Write(other), row.ETag)]
        );
        var rotated = await cluster.Webhook(id).Rotate(null);

        var shown = (await Show(added))!;
        Assert.Equal((false, "Somebody else said so."), (shown.IsEnabled, shown.DisabledBecause));
        Assert.Equal(
            rotated!.Secret,
            EndpointTable.Read((await cluster.Store.Get(EndpointTable.Name, EndpointTable.Partition, id))!).Secret
        );
    }

    [Fact]
    public async Task ACommitOfWhichNothingIsKnownIsDecidedOnceMore()
    {
        var added = await Add("unknown");
        var failures = new Queue<CommitFailure>([CommitFailure.UnknownApplied, CommitFailure.UnknownNotApplied]);
        cluster.Store.FailCommitsWhen(
            (table, _, _) => table == EndpointTable.Name && failures.TryDequeue(out var failure) ? failure : null
        );
        var first = WebhookSecret.New().Text;
        Assert.Equal(first, (await cluster.Webhook(added.Endpoint!.Id).Rotate(first))!.Secret);
        Assert.Equal(
            (await cluster.Webhook(added.Endpoint.Id).Rotate(null))!.Secret,
            EndpointTable.Read((await cluster.Store.Get(EndpointTable.Name, EndpointTable.Partition, added.Endpoint.Id))!).Secret
        );
        Assert.Empty(failures);
    }

    [Fact]
    public async Task ATestGoesOutAtOnceToADisabledOneTooAndChangesNothing()
    {
        var added = await Add("tested");
        cluster.Sender.Answer("tested", 410);
        await cluster.Placed();
        await cluster.Clock.PassUntil("the endpoint to be disabled", async () => !(await Show(added))!.IsEnabled);
        cluster.Sender.Answer("tested", 500);
        var before = (await Show(added))!;
        var tested = (await cluster.Webhook(added.Endpoint!.Id).Test())!;

        Assert.Equal((false, "http-500", 500), (tested.IsDelivered, tested.Reason, tested.Status));
        Assert.Equal(WebhookMessage.TestType, cluster.Sender.To("tested")[^1].Message.Type);
        Assert.Equal(
            (before.Failures, before.IsEnabled, before.History.Length),
            await Show(added) is { } after ? (after.Failures, after.IsEnabled, after.History.Length) : default
        );
    }

    [Fact]
    public async Task WhatIsWrongIsRefusedWithASentence()
    {
        Assert.Equal(
            (WebhookRefusal.Url, "An endpoint's URL begins with https://; http:// is taken only with the setting Webhooks:AllowHttp."),
            Said(await cluster.Webhooks.Add(new("http://example.org/", [], null)))
        );
        Assert.Equal(
            (
                WebhookRefusal.Events,
                "\"order.eaten\" is no event; events are order.placed, order.paid, order.shipped, order.completed, "
                    + "order.cancelled, order.refunded, webhook.failing, webhook.disabled, webhook.recovered, webhook.rotated."
            ),
            Said(await cluster.Webhooks.Add(new("https://example.org/", ["paid", "eaten"], null)))
        );
        Assert.Equal(WebhookRefusal.Secret, (await cluster.Webhooks.Add(new("https://example.org/", [], "whsec_short"))).Refusal);
        Assert.Empty(await cluster.Webhooks.List());
        Assert.Null(await cluster.Webhook("0000000000").Show());
        Assert.Null(await cluster.Webhook("0000000000").Test());
        Assert.Equal(
            WebhookSent.NotWanted,
            (await cluster.Webhook("0000000000").Send((await cluster.ChangesOf((await cluster.Placed()).Id))[0])).Sent
        );

        static (WebhookRefusal, string?) Said(WebhookAdded added) => (added.Refusal, added.Error);
    }

    [Fact]
    public async Task ThereAreFiftyAtMost()
    {
        for (var i = 0; i < IWebhookListGrain.MaxEndpoints; i++)
        {
            await Add("many");
        }

        var refused = await cluster.Webhooks.Add(new("https://many/", [], null));
        Assert.Equal(
            (WebhookRefusal.Full, "There are 50 endpoints, and no more can be; remove one that is not needed."),
            (refused.Refusal, refused.Error)
        );
        Assert.Equal(50, (await cluster.Webhooks.List()).Length);
    }

    /// <summary>The endpoint's grain is awake for so long that no try waits for its turn.</summary>
    private async Task AtFullPace(WebhookAdded added)
    {
        await Show(added);
        cluster.Clock.Pass(FullPace);
    }

    private static DateTimeOffset Whole(DateTimeOffset at) => at.AddTicks(-(at.Ticks % TimeSpan.TicksPerSecond));

    private static string Name(WebhookAdded added) => WebhookForm.SubscriberOf(added.Endpoint!.Id);

    private async Task<WebhookAdded> Add(string host, params string[] events)
    {
        var added = await cluster.Webhooks.Add(new($"https://{host}/hooks?key=secret", [.. events], null));
        Assert.Equal(WebhookRefusal.None, added.Refusal);
        Assert.Equal($"https://{host}/hooks?…", added.Endpoint!.Url);
        return added;
    }

    /// <summary>
    /// So many requests were sent. None of them waits for a second try: time passes only as far as first ones wait for their turns.
    /// </summary>
    private Task Sent(string host, int count) =>
        cluster.Clock.PassUntil($"{count} requests to {host}", () => cluster.Sender.To(host).Count >= count, reach: AlmostFirstWait);

    private Task<WebhookEndpoint?> Show(WebhookAdded added) => cluster.Webhook(added.Endpoint!.Id).Show();

    private async Task<long> Dead(WebhookAdded added) =>
        (await cluster.Desk.Subscriber(Name(added))).Sum(state => state.Dead.GetValueOrDefault(WebhookForm.DisabledReason));

    private async Task<IEnumerable<Delivery>> Deliveries(WebhookAdded added, Order order) =>
        await cluster.Subscriber(added.Endpoint!.Id, order.Id.Partition).Deliveries(order.Id);

    private async Task<Delivery> Delivery(WebhookAdded added, Order order, Func<Delivery, bool> isSo, DateTimeOffset? latest = null)
    {
        Delivery? found = null;
        await cluster.Clock.PassUntil(
            $"what became of telling of {order.Id}",
            async () => (found = (await Deliveries(added, order)).FirstOrDefault(isSo)) is not null,
            latest
        );
        return found!;
    }

    /// <summary>Lets each further try come when it is due, and answers the waits before them.</summary>
    private async Task<List<TimeSpan>> Exhausted(WebhookAdded added, Order order)
    {
        var (waits, due) = (new List<TimeSpan>(), cluster.Clock.GetUtcNow());
        for (var tries = 1; tries < 10; tries++)
        {
            var waiting = await Delivery(
                added,
                order,
                delivery => delivery.Attempts == tries && delivery.Next is not null,
                latest: due + AlmostFirstWait
            );
            due = waiting.Next!.Value;
            waits.Add(due - waiting.Tries[^1].At);
            cluster.Clock.PassTo(due);
        }

        await Delivery(added, order, delivery => delivery.Status == DeliveryStatus.Dead);
        return waits;
    }

    private async Task Listed(string id, bool everywhere)
    {
        var listed = await Task.WhenAll(
            Enumerable
                .Range(0, OrderCluster.Partitions)
                .Select(async partition =>
                    (await cluster.Feed(partition).Subscribers()).Any(subscriber => subscriber.Name == WebhookForm.SubscriberOf(id))
                )
        );
        Assert.Equal(everywhere, listed.All(isListed => isListed));
    }
}
