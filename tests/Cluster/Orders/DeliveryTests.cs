using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Doubles;
using Grains.Interfaces.Orders;
using Grains.Orders;
using Grains.Orders.Audit;
using Grains.Orders.Rows;
using Grains.Orders.Tracing;
using Grains.Storage;
using Xunit;

namespace Cluster.Orders;

/// <summary>What is kept of deliveries, whoever makes them.</summary>
public sealed class DeliveryTests(TellerCluster cluster) : IClassFixture<TellerCluster>
{
    [Fact]
    public async Task AnOrdersDeliveriesAreToldByVersionWithEveryTry()
    {
        var order = await cluster.Placed(OrderCluster.Asked("asleep"));
        var waiting = await Delivery(
            order.Id,
            delivery => delivery.Attempts == 1 && delivery.Next is not null,
            latest: cluster.Clock.GetUtcNow() + TimeSpan.FromSeconds(4)
        );
        Assert.Equal((DeliveryStatus.Waiting, "asleep", "order.placed"), (waiting.Status, waiting.Reason, waiting.Type));

        var delivered = await Delivery(order.Id, delivery => delivery.Status == DeliveryStatus.Delivered);
        Assert.Equal((2, "heard", null), (delivered.Attempts, delivered.Reason, delivered.Next));
        Assert.Equal(["asleep: It was asleep.", "heard: It was heard."], delivered.Tries.Select(tried => tried.What));
        Assert.True(delivered.Tries[1].At - delivered.Tries[0].At >= TimeSpan.FromSeconds(5));
        Assert.Empty((await cluster.Subscribers.Deliveries(order.Id)).Behind);
    }

    [Fact]
    public async Task ADeadLetterIsADeadDeliveryUntilItIsReplayedOrDiscarded()
    {
        var (heard, gone) = (await cluster.Placed(OrderCluster.Asked("deaf-1")), await cluster.Placed(OrderCluster.Asked("deaf-2")));
        var dead = await Delivery(heard.Id, delivery => delivery.Status == DeliveryStatus.Dead);
        Assert.Equal(("deaf", 1), (dead.Reason, dead.Attempts));

        await Delivery(gone.Id, delivery => delivery.Status == DeliveryStatus.Dead);
        cluster.Mended["deaf-1"] = true;
        await cluster.Grain(heard.Id.Partition).Replay(await Revision(heard.Id), null, "ann");
        await cluster.Grain(gone.Id.Partition).Discard(await Revision(gone.Id), null, "ann");

        var delivered = await Delivery(heard.Id, delivery => delivery.Status == DeliveryStatus.Delivered);
        Assert.Equal(["deaf: Nobody heard.", "replayed: by ann", "heard: It was heard."], delivered.Tries.Select(tried => tried.What));
        var discarded = await Delivery(gone.Id, delivery => delivery.Status == DeliveryStatus.Discarded);
        Assert.Equal("discarded: by ann", discarded.Tries[^1].What);
    }

    [Fact]
    public async Task EachOutcomeIsAnEntryOfTheAudit()
    {
        var (order, monk) = (await cluster.Placed(), await cluster.Placed(OrderCluster.Asked("monk")));
        Assert.Equal([("teller.delivered", "order.placed, attempt 1: heard")], await Outcomes(order.Id));
        Assert.Equal([("teller.suppressed", "order.placed, attempt 1: silence")], await Outcomes(monk.Id));
    }

    [Fact]
    public async Task TheBooksHaveALineForTheChannelWithoutWhatIsNothingForIt()
    {
        // What other tests placed is told of, and counted.
        await cluster.Clock.PassUntil("everything else to be told", async () =>
            (await cluster.Subscribers.List()).All(state => state is { Lag: 0, Waiting: 0 })
        );
        var before = await Account();
        await cluster.Placed(OrderCluster.Asked("stranger"));
        await cluster.Placed(OrderCluster.Asked("monk"));
        await cluster.Placed(OrderCluster.Asked("deaf-3"));
        var told = await cluster.Placed();
        await Delivery(told.Id, delivery => delivery.Status == DeliveryStatus.Delivered);
        await cluster.Clock.PassUntil("three notifications in the books", async () => (await Account()).In - before.In >= 3);
        var after = await Account();
        Assert.True(after.Balances);
        Assert.Equal((3, 1), (after.In - before.In, after.Done - before.Done));
        Assert.Equal(1, after.Refused["suppressed"] - before.Refused.GetValueOrDefault("suppressed"));
        Assert.Equal(1, after.Refused["dead"] - before.Refused.GetValueOrDefault("dead"));
    }

    [Fact]
    public async Task WhatIsOlderThanDeliveriesAreKeptIsForgottenWithAllItsRows()
    {
        var order = await cluster.Placed();
        await Delivery(order.Id, delivery => delivery.Status == DeliveryStatus.Delivered);
        cluster.Clock.Pass(OrderCluster.Kept - TimeSpan.FromHours(1));
        await cluster.Grain(order.Id.Partition).Wake();
        Assert.Single((await cluster.Subscribers.Deliveries(order.Id)).All);

        cluster.Clock.Pass(TimeSpan.FromHours(2));
        await cluster.Grain(order.Id.Partition).Wake();
        Assert.Empty((await cluster.Subscribers.Deliveries(order.Id)).All);
        Assert.Empty(
            await cluster.Store.Scan(
                SubscriberTable.Name,
                SubscriberTable.Partition(new(TellerCluster.Teller, order.Id.Partition)),
                KeyRange.Prefix(SubscriberTable.ExpiryPrefix),
                10
            )
        );
    }

    [Fact]
    public async Task HoweverManyCommitsAreOlderOneWakeUpForgetsThemAll()
    {
        var (orders, partition) = (new List<OrderId>(), 0);
        while (orders.Count(id => id.Partition == partition) < 12)
        {
            var order = await cluster.Placed();
            await Delivery(order.Id, delivery => delivery.Status == DeliveryStatus.Delivered);
            orders.Add(order.Id);
        }

        cluster.Clock.Pass(OrderCluster.Kept + TimeSpan.FromHours(1));
        await cluster.Grain(partition).Wake();
        var rows = await cluster.Store.Scan(
            SubscriberTable.Name,
            SubscriberTable.Partition(new(TellerCluster.Teller, partition)),
            KeyRange.All,
            StoreLimits.MaxScan
        );
        Assert.DoesNotContain(rows, row =>
            row.Key.StartsWith(SubscriberTable.ExpiryPrefix, StringComparison.Ordinal)
            || row.Key.StartsWith(SubscriberTable.DeliveryPrefix, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task AnEventOfBeforeAnErasureBringsNothingBackToTheNextActivation()
    {
        var order = await cluster.Placed(OrderCluster.Asked("away-2"));
        var grain = cluster.Grain(order.Id.Partition);
        await cluster.Clock.PassUntil("the one who is away", async () =>
            (await grain.Show()).Halt?.Contains("away: Nobody is there.", StringComparison.Ordinal) == true
        );
        var change = Assert.Single(await cluster.Changes(order.Id.Partition), change => change.OrderId == order.Id);
        var erasing = cluster.Subscribers.Erase("away-2");
        await cluster.Clock.PassUntil("the erasure", erasing);
        await cluster.Deactivate(grain);
        await grain.Tell(new(order.Id.Partition, change.Revision, change.Revision, [change]));

        await cluster.Clock.PassUntil("the order to be told of", () => cluster.Told.Any(told => told.Order == order.Id));
        Assert.Equal(Erasure.Customer, cluster.Told.Single(told => told.Order == order.Id).Customer);
    }

    [Fact]
    public async Task NothingIsLeftOfOneThatIsRemovedWhileItIsOpened()
    {
        var guest = cluster.Grains.GetGrain<ISubscriberGrain>(new SubscriberKey("guest-a", 0).ToString());
        await cluster.Feed(0).Head();
        using var gate = cluster.Store.HoldCommits();
        var waking = guest.Wake();
        await VirtualClock.StandUntil("the guest to be listed", async () =>
            (await cluster.Feed(0).Subscribers()).Any(listed => listed.Name == "guest-a")
        );
        cluster.HasGuests = false;
        var removing = guest.Remove();
        var shown = new List<Task<SubscriberState>>(); // One that comes before the removal waits for the gate.
        await VirtualClock.StandUntil("the guest to take nothing any more", () =>
        {
            shown.Add(guest.Show());
            return shown.Exists(show => show is { IsCompletedSuccessfully: true, Result.Halt: "this program does not have it any more" });
        });
        gate.Open();
        Assert.True(await removing);
        await Task.WhenAny(waking);

        Assert.DoesNotContain(await cluster.Feed(0).Subscribers(), listed => listed.Name == "guest-a");
        Assert.Empty(await cluster.Store.Scan(SubscriberTable.Name, SubscriberTable.Partition(new("guest-a", 0)), KeyRange.All, 10));
    }

    [Fact]
    public async Task WhatTheAuditHasYetToBeToldIsToldBeforeASubscriberIsRemoved()
    {
        var order = await cluster.Placed();
        var partition = order.Id.Partition;
        await cluster.Feed(partition).Register("gone", null);
        var note = new OrderNote(
            1,
            (byte)AuditEntryKind.DeliveryOutcome,
            order.Id,
            1,
            "gone.delivered",
            cluster.Clock.GetUtcNow(),
            "order.placed, attempt 1: heard"
        );
        await cluster.Store.Commit(
            SubscriberTable.Name,
            SubscriberTable.Partition(new("gone", partition)),
            [
                RowChange.Insert(SubscriberTable.Note(1), OrderJson.Write(note)),
                RowChange.Insert(PartitionWriter.HeadKey, OrderJson.Write(new SubscriberHeadRow { Cursor = 1, Notes = 1 })),
            ]
        );
        Assert.Null(await cluster.Subscribers.Remove("gone"));

        await cluster.Clock.PassUntil("the outcome in the audit", async () =>
            (await Outcomes(order.Id)).Any(outcome => outcome.Item1 == "teller.delivered")
        );
        Assert.Contains(("gone.delivered", "order.placed, attempt 1: heard"), await Outcomes(order.Id));
    }

    [Fact]
    public async Task AnErasureDoesNotWaitForADestinationThatCanNotBeAsked()
    {
        var order = await cluster.Placed(OrderCluster.Asked("away-1"));
        await cluster.Clock.PassUntil("the one who is away", async () =>
            (await cluster.Grain(order.Id.Partition).Show()).Halt?.Contains("away: Nobody is there.", StringComparison.Ordinal) == true
        );
        cluster.StaysAway = true;
        var erasing = await cluster.Clock.PassUntil("an erasure beside a destination that stays away", cluster.Subscribers.Erase("away-1"));
        Assert.Equal((1, null), (erasing.Orders, erasing.Error));
        cluster.StaysAway = false;

        // It is told later, without what was personal.
        await cluster.Clock.PassUntil("the order to be told of", () => cluster.Told.Any(told => told.Order == order.Id));
        Assert.Equal(Erasure.Customer, cluster.Told.Single(told => told.Order == order.Id).Customer);
    }

    [Fact]
    public async Task OneTraceJoinsTheRequestTheCommitAndEachTry()
    {
        using var request = new ActivitySource("Tests.Deliveries");
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Tests.Deliveries" or OrdersTracing.Name or "Microsoft.Orleans.Application",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        Order order;
        ActivityTraceId trace;
        using (var asked = request.StartActivity("POST /api/orders")!)
        {
            trace = asked.TraceId;
            order = await cluster.Placed(OrderCluster.Asked("asleep-2"));
        }

        await Delivery(order.Id, delivery => delivery.Status == DeliveryStatus.Delivered);
        await VirtualClock.StandUntil("the spans of two tries", () =>
            spans.Count(span => span.OperationName == "order.deliver" && span.TraceId == trace) == 2
        );
        var own = spans.Where(span => span.TraceId == trace && span.Source.Name == OrdersTracing.Name).ToArray();
        Assert.Equal(
            ["order.commit", "order.deliver", "order.deliver"],
            own.Select(span => span.OperationName).Order(StringComparer.Ordinal)
        );
        var tries = own.Where(span => span.OperationName == "order.deliver").OrderBy(span => span.GetTagItem("attempt")).ToArray();
        Assert.Empty(tries[0].Links);
        Assert.Equal(
            (tries[0].SpanId, ActivityStatusCode.Error, "asleep"),
            (Assert.Single(tries[1].Links).Context.SpanId, tries[0].Status, tries[0].GetTagItem("reason"))
        );
        Assert.Equal("Delivered", tries[1].GetTagItem("outcome"));
    }

    private async Task<Delivery> Delivery(OrderId order, Func<Delivery, bool> isSo, DateTimeOffset? latest = null)
    {
        Delivery? found = null;
        await cluster.Clock.PassUntil(
            $"what became of telling of {order}",
            async () => (found = (await cluster.Subscribers.Deliveries(order)).All.FirstOrDefault(isSo)) is not null,
            latest
        );
        return found!;
    }

    private async Task<long> Revision(OrderId order) => (await cluster.ChangesOf(order))[0].Revision;

    private async Task<Grains.Interfaces.Books.Account> Account() =>
        Assert.Single(
            await new SubscriberAccounts(
                cluster.Grains,
                new([new(new() { Name = "teller", Channel = "voice" }, _ => throw new NotSupportedException())], [])
            ).Read(CancellationToken.None),
            account => account.Name == "notifications by voice"
        );

    private async Task<List<(string Type, string Detail)>> Outcomes(OrderId order)
    {
        var found = new List<(string Type, string Detail)>();
        await cluster.Clock.PassUntil("outcomes in the audit", async () =>
        {
            var entries = (await new StoredAudit(cluster.Store, OrderCluster.Partitions).Of(order, CancellationToken.None)).Select(entry =>
                AuditEntry.Decode(entry.Entry.Span)
            );
            found =
            [
                .. entries
                    .Where(entry => entry.Kind == AuditEntryKind.DeliveryOutcome)
                    .Select(entry => (entry.Type, Encoding.UTF8.GetString(entry.Payload.Span))),
            ];
            return found.Count > 0;
        });
        return found;
    }
}
