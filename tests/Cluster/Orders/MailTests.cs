using Doubles;
using Doubles.Orders;
using Doubles.Storage;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Rows;
using Xunit;

namespace Cluster.Orders;

public sealed class MailTests(MailCluster cluster) : IClassFixture<MailCluster>
{
    [Fact]
    public async Task EachChangeIsAMailUnderItsOwnId()
    {
        var order = await cluster.PlacedBy("ann");
        await cluster.Take(order.Id, OrderStep.Pay);
        var placed = await cluster.Until(order.Id, 1, Delivered);
        await cluster.Until(order.Id, 2, Delivered);

        Assert.Equal(("mail", "order.placed", "smtp-250", 1), (placed.Subscriber, placed.Type, placed.Reason, placed.Attempts));
        Assert.Equal(
            [Id(order, 1), Id(order, 2)],
            cluster.MailsTo("ann").Select(mail => mail.Header("Message-Id")).Order(StringComparer.Ordinal)
        );
        Assert.DoesNotContain("@", Assert.Single(placed.Tries).What, StringComparison.Ordinal);
    }

    [Fact]
    public Task A421AtTheGreetingIsTriedAgainOnTheSchedule() =>
        IsTriedAgain("421-greeting", "smtp-421", SmtpFault.HangsUp("connect", "421 4.3.2 too many connections"));

    [Fact]
    public Task A421WhileTheMailIsTakenIsTriedAgainOnTheSchedule() =>
        IsTriedAgain("421-dot", "smtp-421", SmtpFault.HangsUp(".", "421 4.3.0 shutting down"));

    [Fact]
    public Task A450IsTriedAgainOnTheSchedule() => IsTriedAgain("450", "smtp-450", SmtpFault.Says("RCPT", "450 4.2.1 mailbox busy"));

    [Fact]
    public Task A451IsTriedAgainOnTheSchedule() =>
        IsTriedAgain("451", "smtp-451", SmtpFault.Says("RCPT", "451 4.7.1 greylisted, come back"));

    [Fact]
    public Task A452IsTriedAgainOnTheSchedule() => IsTriedAgain("452", "smtp-452", SmtpFault.Says(".", "452 4.2.2 over quota"));

    [Fact]
    public Task AConnectionThatIsCutBeforeTheFinalDotIsTriedAgainOnTheSchedule() =>
        IsTriedAgain("cut-before", "cut", SmtpFault.Cut("DATA"));

    [Fact]
    public async Task AMailThatIsPutOffEveryTimeIsADeadLetterAndCanBeReplayed()
    {
        cluster.Server.Fail([.. Enumerable.Repeat(SmtpFault.Says("RCPT", "450 4.2.1 mailbox busy"), 3)]);
        var order = await cluster.PlacedBy("busy");
        var dead = await cluster.Until(order.Id, 1, delivery => delivery.Status == DeliveryStatus.Dead);

        Assert.Equal(("smtp-450", 3), (dead.Reason, dead.Attempts));
        var letter = Assert.Single((await cluster.Subscribers.DeadLetters(new("mail", "smtp-450", 10, null))).Letters);
        await cluster.Subscribers.Replay(new(DeadLetterId.Of(letter)), "ann");
        await cluster.Until(order.Id, 1, Delivered);
        Assert.Equal(Id(order, 1), Assert.Single(cluster.MailsTo("busy")).Header("Message-Id"));
    }

    [Fact]
    public Task A550IsADeadLetterAndSuppressesTheAddress() =>
        IsDead("550", "smtp-550", suppresses: true, SmtpFault.Says("RCPT", "550 5.1.1 no such mailbox"));

    [Fact]
    public Task A552OfAFullMailboxIsTriedAgain() => IsTriedAgain("552", "smtp-552", SmtpFault.Says("RCPT", "552 5.2.2 Mailbox full"));

    [Fact]
    public Task A554IsADeadLetterAndSuppressesTheAddress() =>
        IsDead("554", "smtp-554", suppresses: true, SmtpFault.Says(".", "554 transaction failed"));

    [Fact]
    public Task A552AboutTheMessageSuppressesNobody() =>
        IsDead("552-message", "smtp-552", suppresses: false, SmtpFault.Says(".", "552 5.3.4 message too large"));

    [Fact]
    public Task A554AboutPolicySuppressesNobody() =>
        IsDead("554-policy", "smtp-554", suppresses: false, SmtpFault.Says(".", "554 5.7.1 looks like spam"));

    [Fact]
    public async Task AConnectionThatIsCutAfterTheFinalDotIsUnknownAndSentAgainUnderTheSameMessageId()
    {
        await CircuitIsClosed("cut-after");
        cluster.Server.Fail(SmtpFault.Cut("."));
        var order = await cluster.PlacedBy("cut-after");
        var waiting = await cluster.FirstTried(order.Id);
        Assert.Equal((DeliveryStatus.Waiting, "unknown"), (waiting.Status, waiting.Reason));
        Assert.StartsWith(
            "unknown: The server may have it or not: no answer after the whole message was sent.",
            waiting.Tries[0].What,
            StringComparison.Ordinal
        );

        var delivered = await cluster.Until(order.Id, 1, Delivered);
        Assert.Equal(2, delivered.Attempts);
        Assert.Equal(
            [(Id(order, 1), false), (Id(order, 1), true)],
            cluster.MailsTo("cut-after").Select(mail => (mail.Header("Message-Id"), mail.IsAcknowledged))
        );
        var mails = cluster.MailsTo("cut-after").ToList();
        Assert.Equal(mails[0].Text, mails[1].Text);
    }

    [Fact]
    public async Task ACrashBetweenTheMailAndItsMarkSendsItAgainUnderTheSameMessageId()
    {
        var lost = 0;
        cluster.Store.FailCommitsWhen(
            (table, partition, _) =>
                table == SubscriberTable.Name
                && partition.Contains("mail", StringComparison.Ordinal)
                && cluster.MailsTo("crash").Any()
                && Interlocked.Increment(ref lost) == 1
                    ? CommitFailure.UnknownNotApplied
                    : null
        );
        var order = await cluster.PlacedBy("crash");
        await cluster.Clock.PassUntil("the mail to be sent again", async () =>
        {
            await cluster.Subscribers.Wake();
            return cluster.MailsTo("crash").Count() == 2;
        });
        cluster.Store.FailCommitsWhen((_, _, _) => null);
        await cluster.Until(order.Id, 1, Delivered);

        Assert.Equal([Id(order, 1), Id(order, 1)], cluster.MailsTo("crash").Select(mail => mail.Header("Message-Id")));
    }

    [Fact]
    public async Task AServerThatIsGoneForAWhileIsSparedAndNoMailIsLost()
    {
        cluster.Clock.Pass(Circuit<MailOutcome>.Sampling); // What other tests sent says nothing of the server any more.
        var port = await cluster.StopServer();
        var orders = new List<Order>();
        for (var i = 0; i < 20; i++)
        {
            orders.Add(await cluster.PlacedBy($"gone-{i}"));
        }

        // Until the circuit is open no time passes; then less than the whole schedule, so that no mail is given up, and more than the
        // circuit's longest break.
        await VirtualClock.StandUntil("the circuit to open", async () => await Tries(orders) >= Circuit<MailOutcome>.Least);
        var back = cluster.Clock.GetUtcNow() + TimeSpan.FromMinutes(8);
        await cluster.Clock.PassUntil("the server to be back", () => cluster.Clock.NextDue > back, latest: back);
        cluster.StartServer(port);
        var attempts = 0;
        foreach (var order in orders)
        {
            attempts += (await cluster.Until(order.Id, 1, Delivered)).Attempts;
        }

        // In vain: five before the circuit opened, or all twenty where they were under way at once, and then one at a time. Without it each
        // would have been tried twice: forty.
        Assert.InRange(attempts - orders.Count, Circuit<MailOutcome>.Least, 30);
        Assert.All(Enumerable.Range(0, 20), i => Assert.Single(cluster.MailsTo($"gone-{i}")));
    }

    private async Task<int> Tries(List<Order> orders)
    {
        var deliveries = await Task.WhenAll(orders.Select(order => cluster.Subscribers.Deliveries(order.Id)));
        return deliveries.Sum(some => some.All.Sum(delivery => delivery.Tries.Length));
    }

    [Fact]
    public async Task WhatACustomerDoesNotWantIsSuppressedAndSaysSo()
    {
        Assert.Null(await cluster.Desk.Mail.Prefer(new("choosy", ["order.paid"])));
        var order = await cluster.PlacedBy("choosy");
        await cluster.Take(order.Id, OrderStep.Pay);
        var placed = await cluster.Until(order.Id, 1, delivery => delivery.Status == DeliveryStatus.Suppressed);
        await cluster.Until(order.Id, 2, Delivered);

        Assert.Equal("not-wanted-by-customer", placed.Reason);
        Assert.Equal(Id(order, 2), Assert.Single(cluster.MailsTo("choosy")).Header("Message-Id"));
        Assert.Equal(["order.paid"], (await cluster.Desk.Mail.Preferences("choosy")).Types!.Value);
    }

    [Fact]
    public async Task WhatIsNoTypeIsRefusedAndEverythingIsNull()
    {
        Assert.Equal(
            "\"order.lost\" is no type of change; types are order.placed, order.paid, order.shipped, order.completed, "
                + "order.cancelled, order.refunded.",
            await cluster.Desk.Mail.Prefer(new("nobody", ["order.lost"]))
        );
        Assert.Null((await cluster.Desk.Mail.Preferences("nobody")).Types);
        Assert.Null(await cluster.Desk.Mail.Prefer(new("nobody", [])));
        Assert.Empty((await cluster.Desk.Mail.Preferences("nobody")).Types!.Value);
    }

    [Fact]
    public async Task ErasingACustomerForgetsWhatTheyWanted()
    {
        await cluster.Desk.Mail.Prefer(new("erased-one", ["order.paid"]));
        var order = await cluster.PlacedBy("erased-one");
        await cluster.Until(order.Id, 1, delivery => delivery.Status == DeliveryStatus.Suppressed);
        var erased = await cluster.Clock.PassUntil("the erasure", cluster.Subscribers.Erase("erased-one"));

        Assert.Null(erased.Error);
        Assert.Null((await cluster.Desk.Mail.Preferences("erased-one")).Types);
    }

    [Fact]
    public async Task TheLinkInAMailEndsMailToItsCustomer()
    {
        var order = await cluster.PlacedBy("leaving");
        await cluster.Until(order.Id, 1, Delivered);
        var mail = Assert.Single(cluster.MailsTo("leaving"));
        var token = mail.Header("List-Unsubscribe")["<https://shop.example/unsubscribe/".Length..^1];
        Assert.Equal("List-Unsubscribe=One-Click", mail.Header("List-Unsubscribe-Post"));

        Assert.True(await cluster.Desk.Mail.Knows(token));
        Assert.False(await cluster.Desk.Mail.Unsubscribe((token[0] == 'A' ? "B" : "A") + token[1..]));
        Assert.Null((await cluster.Desk.Mail.Preferences("leaving")).Types);
        Assert.True(await cluster.Desk.Mail.Unsubscribe(token));
        Assert.True(await cluster.Desk.Mail.Unsubscribe(token));
        Assert.Empty((await cluster.Desk.Mail.Preferences("leaving")).Types!.Value);

        cluster.Clock.Pass(MailStore.Fresh);
        await cluster.Take(order.Id, OrderStep.Pay);
        Assert.Equal(
            "not-wanted-by-customer",
            (await cluster.Until(order.Id, 2, delivery => delivery.Status == DeliveryStatus.Suppressed)).Reason
        );
    }

    /// <summary>What other tests sent says nothing of the server any more: the longest break is over, and a mail has gone out.</summary>
    private async Task CircuitIsClosed(string customer)
    {
        cluster.Clock.Pass(Circuit<MailOutcome>.LongestBreak + Circuit<MailOutcome>.Sampling);
        await cluster.Until((await cluster.PlacedBy("before-" + customer)).Id, 1, Delivered);
        cluster.Guards.Pass(new SmtpSettings("", 0, SmtpSecurity.None).KeepIdle * 2); // The next mail opens a connection of its own.
    }

    /// <summary>The first try meets the fault, the second one a minute later does not.</summary>
    private async Task IsTriedAgain(string customer, string reason, SmtpFault fault)
    {
        await CircuitIsClosed(customer);
        cluster.Server.Fail(fault);
        var order = await cluster.PlacedBy(customer);
        var waiting = await cluster.FirstTried(order.Id);
        Assert.Equal((DeliveryStatus.Waiting, reason), (waiting.Status, waiting.Reason));
        Assert.Equal(MailCluster.Waits[0], waiting.Next - waiting.Tries[0].At);
        Assert.Empty(cluster.MailsTo(customer));

        var delivered = await cluster.Until(order.Id, 1, Delivered);
        Assert.Equal(2, delivered.Attempts);
        Assert.Equal(Id(order, 1), Assert.Single(cluster.MailsTo(customer)).Header("Message-Id"));
        Assert.Null(await cluster.Desk.Mail.Suppression(customer + "@example.org"));
    }

    private async Task IsDead(string customer, string reason, bool suppresses, SmtpFault fault)
    {
        cluster.Server.Fail(fault);
        var order = await cluster.PlacedBy(customer);
        var dead = await cluster.Until(order.Id, 1, delivery => delivery.Status == DeliveryStatus.Dead);
        Assert.Equal((reason, 1), (dead.Reason, dead.Attempts));
        Assert.Contains((await cluster.Subscribers.DeadLetters(new("mail", reason, 100, null))).Letters, letter =>
            letter.Change.OrderId == order.Id
        );

        // The first one may be a mistake of the server's: the second one suppresses.
        Assert.Null(await cluster.Desk.Mail.Suppression(customer + "@example.org"));
        cluster.Server.Fail(fault);
        var second = await cluster.PlacedBy(customer);
        await cluster.Until(second.Id, 1, delivery => delivery.Status == DeliveryStatus.Dead);
        var suppression = await cluster.Desk.Mail.Suppression(customer + "@example.org");
        Assert.Equal(suppresses ? $"{customer[0]}…@example.org" : null, suppression?.Masked);
        await cluster.Take(order.Id, OrderStep.Pay);
        var next = await cluster.Until(order.Id, 2, delivery => delivery.Status != DeliveryStatus.Waiting);
        Assert.Equal(
            suppresses ? (DeliveryStatus.Suppressed, "address-suppressed") : (DeliveryStatus.Delivered, "smtp-250"),
            (next.Status, next.Reason)
        );
        if (suppresses)
        {
            Assert.Contains(await cluster.Desk.Mail.Suppressions(null, 100), one => one.Id == suppression!.Id);
            Assert.True(await cluster.Desk.Mail.Lift(customer + "@EXAMPLE.org"));
            await cluster.Take(order.Id, OrderStep.Ship);
            await cluster.Until(order.Id, 3, Delivered);
        }
    }

    private static bool Delivered(Delivery delivery) => delivery.Status == DeliveryStatus.Delivered;

    private static string Id(Order order, long version) => $"<{order.Id}.{version}.mail@example.com>";
}

public sealed class GivingUpMailTests(GivingUpMailCluster cluster) : IClassFixture<GivingUpMailCluster>
{
    [Fact]
    public async Task WhereUnknownIsGivenUpAConnectionThatIsCutAfterTheFinalDotIsADeadLetter()
    {
        cluster.Server.Fail(SmtpFault.Cut("."));
        var order = await cluster.PlacedBy("cut-after");
        var dead = await cluster.Until(order.Id, 1, delivery => delivery.Status == DeliveryStatus.Dead);

        Assert.Equal(("unknown", 1), (dead.Reason, dead.Attempts));
        Assert.False(Assert.Single(cluster.MailsTo("cut-after")).IsAcknowledged);
        Assert.Null(await cluster.Desk.Mail.Suppression("cut-after@example.org"));
    }
}
