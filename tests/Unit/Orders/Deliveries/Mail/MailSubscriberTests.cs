using Doubles.Orders;
using Doubles.Storage;
using Grains.Interfaces.Orders;
using Grains.Orders.Consumers;
using Grains.Orders.Deliveries;
using Grains.Orders.Deliveries.Mail;
using Grains.Orders.Rows;
using Grains.Storage;
using Microsoft.Extensions.Time.Testing;
using MimeKit;
using Xunit;

namespace Unit.Orders.Deliveries.Mail;

public sealed class MailSubscriberTests : IDisposable
{
    private const string Ann = "ann@example.org";

    private static readonly MailOutcome Unreachable = MailOutcome.Lost(
        afterDot: false,
        "unreachable",
        "No connection to the mail server: ConnectionRefused."
    );

    private readonly FakeTimeProvider _clock = new(Given.Start);
    private readonly FlakyTableStore _rows = new();
    private readonly RecordingMailSender _sender = new();
    private readonly MailStore _store;
    private readonly string _folder = Directory.CreateTempSubdirectory("mail-subscriber").FullName;

    public MailSubscriberTests() => _store = new(_rows, _clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task AMailThatTheServerTookIsDelivered()
    {
        var handled = await Handle(Subscriber(), Order());

        Assert.Equal((DeliveryOutcome.Done, DoneAs.Delivered, "smtp-250", "Taken by the server."), Of(handled));
        Assert.Equal((Ann, $"{Given.Id()}.1.mail@example.com"), (_sender.Tries.Single().Mail.To, _sender.Tries.Single().Mail.MessageId));
    }

    [Fact]
    public async Task AnOrderWithoutAnAddressIsNoNotification()
    {
        Assert.Equal((DeliveryOutcome.Done, DoneAs.Filtered, "", ""), Of(await Handle(Subscriber(), Given.Placed())));
        Assert.Empty(_sender.Tries);
    }

    [Fact]
    public async Task AnErasedOrderTellsNobody() =>
        Assert.Equal(
            (DeliveryOutcome.Done, DoneAs.Suppressed, "erased", "What is personal of the order was erased."),
            Of(await Handle(Subscriber(), Erasure.Of(Order())))
        );

    [Fact]
    public async Task AnAddressThatNoMailGoesToIsADeadLetterAndIsNotNamed()
    {
        var handled = await Handle(Subscriber(), Order("ann@exam_ple.org"));

        Assert.Equal((DeliveryOutcome.Failed, "bad-address"), (handled.Outcome, handled.Reason));
        Assert.DoesNotContain("exam_ple", handled.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoWantsOnlyPaidIsToldOnlyOfPaid()
    {
        var subscriber = Subscriber();
        await _store.Prefer("ann", CustomerPreferences.Everything.With("mail", "order.paid"), Cancel);

        Assert.Equal(
            (DeliveryOutcome.Done, DoneAs.Suppressed, "not-wanted-by-customer", "The customer wants no mail of order.placed."),
            Of(await Handle(subscriber, Order()))
        );
        Assert.Equal(DoneAs.Delivered, (await Handle(subscriber, Order() with { Status = OrderStatus.Paid, Version = 2 })).As);
    }

    [Fact]
    public async Task WhatACustomerWantsIsReadAgainAfterFiveSeconds()
    {
        var (subscriber, elsewhere) = (Subscriber(), new MailStore(_rows, _clock));
        Assert.Equal(DoneAs.Delivered, (await Handle(subscriber, Order())).As);
        await elsewhere.Prefer("ann", CustomerPreferences.Everything.With("mail"), Cancel);
        _clock.Advance(MailStore.Fresh - TimeSpan.FromTicks(1));
        Assert.Equal(DoneAs.Delivered, (await Handle(subscriber, Order())).As);
        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(DoneAs.Suppressed, (await Handle(subscriber, Order())).As);
    }

    [Theory]
    [InlineData(550, "5.1.1 unknown", true)]
    [InlineData(554, "no", true)]
    [InlineData(552, "5.3.4 too large", false)]
    [InlineData(554, "5.7.1 looks like spam", false)]
    public async Task A5yzIsADeadLetterAndTheSecondOneSuppressesTheAddressWhereItIsAboutIt(int code, string words, bool suppresses)
    {
        var subscriber = Subscriber();
        for (var version = 1; version <= 2; version++)
        {
            _sender.Answer(Ann, MailOutcome.Answered(SmtpStage.Message, code, words));
            var handled = await Handle(subscriber, Order() with { Version = version });
            Assert.Equal((DeliveryOutcome.Failed, $"smtp-{code}"), (handled.Outcome, handled.Reason));
            Assert.Equal(suppresses && version == 2, (await _store.Suppressions(null, 10, Cancel)).Length == 1);
        }

        var next = await Handle(subscriber, Order("Ann@Example.org") with { Version = 3 });
        Assert.Equal(suppresses ? (DoneAs.Suppressed, "address-suppressed") : (DoneAs.Delivered, "smtp-250"), (next.As, next.Reason));
        Assert.Equal(suppresses, (await _store.Suppressions(null, 10, Cancel)).Length == 1);
    }

    [Fact]
    public async Task AMailThatIsDeliveredInBetweenMakesABounceForgotten()
    {
        var subscriber = Subscriber();
        foreach (var version in (int[])[1, 3])
        {
            _sender.Answer(Ann, MailOutcome.Answered(SmtpStage.Recipient, 550, "5.1.1 unknown"));
            await Handle(subscriber, Order() with { Version = version });
            Assert.Equal(DoneAs.Delivered, (await Handle(subscriber, Order() with { Version = version + 1 })).As);
        }
    }

    [Fact]
    public async Task TheSameMailThatBouncesTwiceIsOneBounce()
    {
        for (var tries = 0; tries < 2; tries++)
        {
            _sender.Answer(Ann, MailOutcome.Answered(SmtpStage.Recipient, 550, "5.1.1 unknown"));
            await Handle(Subscriber(), Order());
        }

        Assert.Equal(DoneAs.Delivered, (await Handle(Subscriber(), Order() with { Version = 2 })).As);
    }

    [Fact]
    public async Task ABounceThatIsLongAgoDoesNotCountWithTheNext()
    {
        await Bounce(version: 1);
        _clock.Advance(MailStore.UsualSuppression);
        await Bounce(version: 2);

        Assert.Null(await _store.Suppression(Ann, Cancel));
        await Bounce(version: 3);
        Assert.NotNull(await _store.Suppression(Ann, Cancel));
    }

    [Fact]
    public async Task ASuppressionEndsAfterItsTimeAndTheNextMailGoesOut()
    {
        await Bounce(version: 1);
        await Bounce(version: 2);
        _clock.Advance(MailStore.UsualSuppression - TimeSpan.FromTicks(1));
        Assert.Equal("address-suppressed", (await Handle(Subscriber(), Order() with { Version = 3 })).Reason);
        _clock.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(DoneAs.Delivered, (await Handle(Subscriber(), Order() with { Version = 4 })).As);
        Assert.Empty(await _store.Suppressions(null, 10, Cancel));
    }

    [Fact]
    public async Task ASuppressionOfAnEarlierVersionHoldsAndEndsToo()
    {
        var row =
            """{"masked":"a…@example.org","at":"2026-03-01T12:00:00+00:00","reason":"smtp-550","detail":"The recipient was refused with 550."}""";
        await _rows.Commit(
            MailTable.Name,
            MailTable.Suppressions,
            [RowChange.Put(Suppression.Key(Ann), System.Text.Encoding.UTF8.GetBytes(row))],
            Cancel
        );

        Assert.Equal("address-suppressed", (await Handle(Subscriber(), Order())).Reason);
        _clock.Advance(MailStore.UsualSuppression);
        Assert.Equal(DoneAs.Delivered, (await Handle(Subscriber(), Order())).As);
    }

    [Fact]
    public async Task AFullMailboxSuppressesNobody()
    {
        for (var version = 1; version <= 3; version++)
        {
            _sender.Answer(Ann, MailOutcome.Answered(SmtpStage.Recipient, 552, "5.2.2 Mailbox full"));
            var handled = await Handle(Subscriber(), Order() with { Version = version });
            Assert.Equal((DeliveryOutcome.Later, "smtp-552"), (handled.Outcome, handled.Reason));
        }

        Assert.Equal(DoneAs.Delivered, (await Handle(Subscriber(), Order() with { Version = 4 })).As);
    }

    [Fact]
    public async Task ASuppressionIsKeptBeforeTheAnswerAndWithoutTheAddress()
    {
        await Bounce(version: 1);
        _sender.Answer(Ann, MailOutcome.Answered(SmtpStage.Recipient, 550, "5.1.1 <ann@example.org> unknown"));
        var handled = await Handle(Subscriber(), Order() with { Version = 2 });
        var row = await _rows.Get(MailTable.Name, MailTable.Suppressions, Suppression.Key(Ann), Cancel);
        var text = System.Text.Encoding.UTF8.GetString(row!.Payload.Span);

        Assert.Equal(
            """{"masked":"a…@example.org","at":"2026-03-01T12:00:00+00:00","reason":"smtp-550","detail":"The recipient was refused with 550 5.1.1: … unknown","bounces":2,"mail":"{{ID}}.2"}""".Replace(
                "{{ID}}",
                Given.Id().ToString(),
                StringComparison.Ordinal
            ),
            text
        );
        Assert.Equal("The recipient was refused with 550 5.1.1: … unknown", handled.Detail);
        Assert.Equal(
            "The address gets no mail since 2026-03-01 12:00 UTC: The recipient was refused with 550 5.1.1: … unknown",
            (await Handle(Subscriber(), Order() with { Version = 3 })).Detail
        );
    }

    [Fact]
    public async Task ASuppressionThatCannotBeKeptIsNoAnswer()
    {
        _sender.Answer(Ann, MailOutcome.Answered(SmtpStage.Recipient, 550, "unknown"));
        _rows.FailNextCommits(100, CommitFailure.UnknownNotApplied);

        await Assert.ThrowsAsync<PartitionLostException>(() => Handle(Subscriber(), Order()));
    }

    [Fact]
    public async Task ALiftedSuppressionLetsMailGoAgain()
    {
        await Bounce(version: 1);
        await Bounce(version: 2);

        Assert.True(await _store.Lift("ANN@example.org", Cancel));
        Assert.False(await _store.Lift(Ann, Cancel));
        Assert.Equal(DoneAs.Delivered, (await Handle(Subscriber(), Order())).As);
    }

    [Theory]
    [InlineData(MailAfterUnknown.SendAgain, DeliveryOutcome.Later)]
    [InlineData(MailAfterUnknown.GiveUp, DeliveryOutcome.Failed)]
    public async Task AfterAnUnknownOutcomeThePolicyDecides(MailAfterUnknown policy, DeliveryOutcome handledAs)
    {
        _sender.Answer(Ann, MailOutcome.Lost(afterDot: true, "cut", "The connection to the mail server was cut."));
        var handled = await Handle(Subscriber(after: policy), Order());

        Assert.Equal((handledAs, "unknown"), (handled.Outcome, handled.Reason));
        Assert.Equal(
            "The server may have it or not: no answer after the whole message was sent. The connection to the mail server was cut.",
            handled.Detail
        );
    }

    [Fact]
    public async Task AServerThatIsDownIsSparedAndAskedAgainWhenTheCircuitSaysSo()
    {
        var subscriber = Subscriber();
        _sender.Answer(Ann, [.. Enumerable.Repeat(Unreachable, Circuit<MailOutcome>.Least)]);
        for (var i = 0; i < Circuit<MailOutcome>.Least; i++)
        {
            Assert.Equal(
                (DeliveryOutcome.Later, "unreachable"),
                (await Handle(subscriber, Order())) is var tried ? (tried.Outcome, tried.Reason) : default
            );
        }

        var held = await Handle(subscriber, Order());
        Assert.Equal((DeliveryOutcome.Deferred, "circuit-open", Circuit<MailOutcome>.FirstBreak), (held.Outcome, held.Reason, held.After));
        Assert.Equal(Circuit<MailOutcome>.Least, _sender.Tries.Count);
        _clock.Advance(Circuit<MailOutcome>.FirstBreak);
        Assert.Equal(DoneAs.Delivered, (await Handle(subscriber, Order())).As);
    }

    [Fact]
    public async Task WhileATryTakesLongerThanTheBreakNobodyIsToldToComeBackAtOnce()
    {
        var subscriber = Subscriber();
        await Open(subscriber);
        _clock.Advance(Circuit<MailOutcome>.FirstBreak);
        var gate = new TaskCompletionSource();
        _sender.Gate = gate.Task;
        var probe = Handle(subscriber, Order());
        _clock.Advance(Circuit<MailOutcome>.FirstBreak + TimeSpan.FromSeconds(1));

        var held = await Handle(subscriber, Given.Placed("other") with { Email = Ann });
        Assert.Equal((DeliveryOutcome.Deferred, TimeSpan.FromSeconds(1)), (held.Outcome, held.After));
        gate.SetResult();
        Assert.Equal(DoneAs.Delivered, (await probe).As);
    }

    [Fact]
    public async Task AClockThatIsSetBackDoesNotKeepTheCircuitOpen()
    {
        var clock = new SetClock(_clock);
        var subscriber = Subscriber(clock: clock);
        await Open(subscriber);
        clock.Set = TimeSpan.FromHours(-1);
        _clock.Advance(Circuit<MailOutcome>.FirstBreak);
        Assert.Equal(DoneAs.Delivered, (await Handle(subscriber, Order())).As);
    }

    [Fact]
    public async Task RecipientsThatArePutOffDoNotOpenTheCircuit()
    {
        var subscriber = Subscriber();
        _sender.Answer(Ann, [.. Enumerable.Repeat(MailOutcome.Answered(SmtpStage.Recipient, 451, "4.7.1 greylisted"), 20)]);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(DeliveryOutcome.Later, (await Handle(subscriber, Order())).Outcome);
        }
    }

    [Fact]
    public async Task MoreThanTheRateWaitsAndIsNoTry()
    {
        var subscriber = Subscriber(perSecond: 16);
        Assert.Equal(DoneAs.Delivered, (await Handle(subscriber, Order())).As);
        var held = await Handle(subscriber, Order());

        Assert.Equal((DeliveryOutcome.Deferred, "rate-limit"), (held.Outcome, held.Reason));
        Assert.Equal(TimeSpan.FromSeconds(1) + TimeSpan.FromTicks(1), held.After); // A sixteenth, after a start.
        _clock.Advance(held.After!.Value);
        Assert.Equal(DoneAs.Delivered, (await Handle(subscriber, Order())).As);
    }

    [Fact]
    public async Task AnErasureRemovesTheOrdersMailsFromTheFolderAndNoOthers()
    {
        var pickup = new PickupMailSender(_folder, _ => { });
        var subscriber = Subscriber(pickup, pickup: pickup);
        await Handle(subscriber, Order());
        await Handle(subscriber, Order() with { Version = 2, Status = OrderStatus.Paid });
        await Handle(subscriber, Order() with { Id = Given.Id("other") });
        await File.WriteAllTextAsync(Path.Combine(_folder, $".{Given.Id()}.3.mail@example.com.0123.part"), "half", Cancel);

        await subscriber.Erase([Given.Id()], Given.Start, Cancel);
        Assert.Equal($"{Given.Id("other")}.1.mail@example.com.eml", Path.GetFileName(Assert.Single(Directory.GetFiles(_folder))));
    }

    [Fact]
    public async Task AnErasureWaitsForAMailThatIsBeingWritten()
    {
        var pickup = new PickupMailSender(_folder, _ => { });
        var opened = new TaskCompletionSource();
        var subscriber = Subscriber(new Gated(pickup, opened.Task), pickup: pickup);
        var handling = Handle(subscriber, Order());
        var erasing = subscriber.Erase([Given.Id()], Given.Start, Cancel).AsTask();

        Assert.False(erasing.IsCompleted);
        opened.SetResult();
        await handling;
        await erasing;
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task EachMailCarriesALinkThatEndsMailToItsCustomer()
    {
        var subscriber = Subscriber(unsubscribe: new("https://shop.example/o/"));
        await Handle(subscriber, Order());
        await Handle(subscriber, Order());
        using var bytes = new MemoryStream(_sender.Tries[0].Mail.Bytes.ToArray());
        var header = (await MimeMessage.LoadAsync(bytes, Cancel)).Headers[HeaderId.ListUnsubscribe]!;
        var token = header["<https://shop.example/o/unsubscribe/".Length..^1];

        Assert.Equal($"<https://shop.example/o/unsubscribe/{token}>", header);
        Assert.Equal(_sender.Tries[0].Mail.Bytes.ToArray(), _sender.Tries[1].Mail.Bytes.ToArray());
        Assert.True(UnsubscribeToken.TryRead(await _store.UnsubscribeKey(Cancel), token, out var customer));
        await _store.Unsubscribe(customer, "mail", Cancel);
        Assert.Equal("not-wanted-by-customer", (await Handle(subscriber, Order())).Reason);
    }

    private async Task Open(MailSubscriber subscriber)
    {
        _sender.Answer(Ann, [.. Enumerable.Repeat(Unreachable, Circuit<MailOutcome>.Least)]);
        for (var i = 0; i < Circuit<MailOutcome>.Least; i++)
        {
            await Handle(subscriber, Order());
        }

        Assert.Equal("circuit-open", (await Handle(subscriber, Order())).Reason);
    }

    private MailSubscriber Subscriber(
        IMailSender? sender = null,
        double? perSecond = null,
        MailAfterUnknown after = MailAfterUnknown.SendAgain,
        Uri? unsubscribe = null,
        PickupMailSender? pickup = null,
        TimeProvider? clock = null
    )
    {
        Assert.True(MailRecipient.TryParse("The shop", "shop@example.com", out var from, out _));
        return new(
            new(
                _store,
                new(sender ?? _sender, perSecond, clock ?? _clock),
                new(MailTemplates.BuiltIn, from, "The shop"),
                after,
                unsubscribe,
                pickup
            )
        );
    }

    private async Task Bounce(int version)
    {
        _sender.Answer(Ann, MailOutcome.Answered(SmtpStage.Recipient, 550, "5.1.1 unknown"));
        Assert.Equal(DeliveryOutcome.Failed, (await Handle(Subscriber(), Order() with { Version = version })).Outcome);
    }

    private static async Task<DeliveryResult> Handle(MailSubscriber subscriber, Order order) =>
        await subscriber.Handle(new(new OrderChange(order.Version + (order.Id == Given.Id() ? 0 : 1000), order, null, null), 1), Cancel);

    private static Order Order(string email = Ann) => Given.Placed() with { Email = email };

    private static (DeliveryOutcome Outcome, DoneAs As, string Reason, string Detail) Of(DeliveryResult handled) =>
        (handled.Outcome, handled.As, handled.Reason, handled.Detail);

    /// <summary>Somebody sets the clock; its timestamps and timers go on.</summary>
    private sealed class SetClock(TimeProvider inner) : TimeProvider
    {
        public TimeSpan Set { get; set; }

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + Set;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            inner.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class Gated(IMailSender inner, Task gate) : IMailSender
    {
        public async Task<MailOutcome> Send(OutgoingMail mail, CancellationToken cancel)
        {
            await gate.WaitAsync(cancel);
            return await inner.Send(mail, cancel);
        }
    }
}

public sealed class MailStoreTests
{
    private readonly FakeTimeProvider _clock = new(Given.Start);
    private readonly FlakyTableStore _rows = new();
    private readonly MailStore _store;

    public MailStoreTests() => _store = new(_rows, _clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhoeverSaidNothingWantsEverything() => Assert.True((await _store.Preferences("ann", Cancel)).Types.IsEmpty);

    [Fact]
    public async Task WhatACustomerWantsIsKeptAndForgotten()
    {
        await _store.Prefer("ann", CustomerPreferences.Everything.With("mail", "order.paid", "order.shipped"), Cancel);
        Assert.Equal(["order.paid", "order.shipped"], (await new MailStore(_rows, _clock).Preferences("ann", Cancel)).Types["mail"]);

        await _store.Forget("ann", Cancel);
        await _store.Forget("ann", Cancel);
        Assert.Null(await Row("ann"));
    }

    [Fact]
    public async Task WhoeverWantsEverythingAgainLeavesNoRow()
    {
        await _store.Prefer("ann", CustomerPreferences.Everything.With("mail"), Cancel);
        await _store.Prefer("ann", CustomerPreferences.Everything, Cancel);
        Assert.Null(await Row("ann"));
    }

    [Fact]
    public async Task AnAnswerThatIsLostIsAskedForAgain()
    {
        _rows.FailNextCommits(3, CommitFailure.UnknownNotApplied);
        await _store.Prefer("ann", CustomerPreferences.Everything.With("mail"), Cancel);
        Assert.NotNull(await Row("ann"));
    }

    [Fact]
    public async Task TheKeyOfLinksIsMadeOnceWhateverBecomesOfTheAnswer()
    {
        _rows.FailNextCommits(1, CommitFailure.UnknownApplied);
        var key = await _store.UnsubscribeKey(Cancel);

        Assert.Equal(32, key.Length);
        Assert.Equal(key, await new MailStore(_rows, _clock).UnsubscribeKey(Cancel));
    }

    [Fact]
    public async Task ALinkKeepsTheNameThatIsKnownAndMakesNone()
    {
        await _store.Prefer("ann", CustomerPreferences.Everything.With("mail", "order.paid"), Cancel);
        await _store.Unsubscribe(StoreLimits.HashKey("ann"), "mail", Cancel);
        await _store.Unsubscribe(StoreLimits.HashKey("bob"), "mail", Cancel);

        Assert.Equal("""{"customer":"ann","types":{"mail":[]},"at":"2026-03-01T12:00:00+00:00"}""", await Row("ann"));
        Assert.Equal("""{"types":{"mail":[]},"at":"2026-03-01T12:00:00+00:00"}""", await Row("bob"));
        Assert.False((await _store.Wishes("bob", Cancel)).Wants("mail", "order.paid"));
    }

    [Fact]
    public async Task SuppressionsAreListedAPageAtATime()
    {
        foreach (var name in "abcde")
        {
            await _store.Bounced($"{name}@example.org", "1", MailOutcome.Answered(SmtpStage.Recipient, 550, "no"), Cancel);
            await _store.Bounced($"{name}@example.org", "2", MailOutcome.Answered(SmtpStage.Recipient, 550, "no"), Cancel);
            await _store.Bounced($"once-{name}@example.org", "1", MailOutcome.Answered(SmtpStage.Recipient, 550, "no"), Cancel);
        }

        var first = await _store.Suppressions(null, 3, Cancel);
        var second = await _store.Suppressions(first[^1].Key, 3, Cancel);
        Assert.Equal((3, 2), (first.Length, second.Length));
        Assert.Equal("abcde", string.Concat(first.Concat(second).Select(row => row.Suppression.Masked[0]).Order()));
    }

    private async Task<string?> Row(string customer)
    {
        var key = StoreLimits.HashKey(customer);
        return await _rows.Get(MailTable.Name, MailTable.Preferences(key), key, Cancel) is { } row
            ? System.Text.Encoding.UTF8.GetString(row.Payload.Span)
            : null;
    }
}

public sealed class UnsubscribeTokenTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(number => (byte)number)];

    [Fact]
    public void ATokenNamesItsCustomerByTheHashOfTheNameOnly()
    {
        var token = UnsubscribeToken.Make(Key, "ann");

        Assert.Equal(UnsubscribeToken.Length, token.Length);
        Assert.True(UnsubscribeToken.TryRead(Key, token, out var customer));
        Assert.Equal(StoreLimits.HashKey("ann"), customer);
    }

    [Fact]
    public void NoOtherTokenIsTaken()
    {
        var token = UnsubscribeToken.Make(Key, "ann");
        Assert.All(Enumerable.Range(0, token.Length), i =>
            Assert.False(UnsubscribeToken.TryRead(Key, token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..], out _))
        );
        Assert.All(["", "x", token[1..], token + "A", token + "\n", new string('!', 64), new string('ä', 64)], other =>
            Assert.False(UnsubscribeToken.TryRead(Key, other, out _))
        );
        Assert.False(UnsubscribeToken.TryRead([.. Key.Reverse()], token, out _));
    }
}

public sealed class MailSettingsTests
{
    [Fact]
    public void WithoutAnythingSetMailsAreWrittenToAFolder()
    {
        Assert.True(MailSettings.TryRead(new(), out var settings, out var problems), string.Join(' ', problems));
        Assert.Equal(("orders@localhost", null, null), (settings.From.Address, settings.Server, settings.Unsubscribe));
    }

    /// <summary>
    /// RFC 5321 §4.5.4.1: at least half an hour apart after the first tries (which meet greylisting and short breaks), given up after four
    /// to five days.
    /// </summary>
    [Fact]
    public void AMailIsGivenUpAfterFourToFiveDays()
    {
        Assert.True(MailSettings.TryRead(new(), out var settings, out _));
        Assert.InRange(settings.Waits.Aggregate((all, wait) => all + wait), TimeSpan.FromDays(4), TimeSpan.FromDays(5));
        Assert.All(settings.Waits.Skip(2), wait => Assert.True(wait >= TimeSpan.FromMinutes(30)));
    }

    [Fact]
    public void AMailServerIsTakenOverAsItIsSet()
    {
        Assert.True(
            MailSettings.TryRead(
                new()
                {
                    Host = "mail.example.com",
                    Port = 465,
                    Security = SmtpSecurity.Tls,
                    User = "u",
                    Password = "p",
                    From = "shop@example.com",
                    MaxConnections = 7,
                    Timeout = TimeSpan.FromSeconds(9),
                },
                out var settings,
                out _
            )
        );
        Assert.Equal(
            new SmtpSettings("mail.example.com", 465, SmtpSecurity.Tls)
            {
                User = "u",
                Password = "p",
                MaxConnections = 7,
                Timeout = TimeSpan.FromSeconds(9),
            },
            settings.Server
        );
    }

    [Theory]
    [InlineData("https://shop.example", true)]
    [InlineData("https://shop.example/orders/", true)]
    [InlineData("mailto:no-more@example.org", true)]
    [InlineData("mailto:no-more@example.org?subject=stop", true)]
    [InlineData("http://shop.example", false)]
    [InlineData("https://shop.example/?a=b", false)]
    [InlineData("https://user@shop.example/", false)]
    [InlineData("mailto:", false)]
    [InlineData("mailto:nobody", false)]
    [InlineData("shop.example", false)]
    public void UnsubscribeIsHttpsOrMailto(string unsubscribe, bool isRight)
    {
        Assert.Equal(isRight, MailSettings.TryRead(new() { Unsubscribe = unsubscribe }, out _, out var problems));
        Assert.Equal(
            isRight
                ? []
                :
                [
                    $"Mail:Unsubscribe is \"{unsubscribe}\"; it is an https address such as https://shop.example.org/, without "
                        + $"a query, or a mailto: address such as mailto:no-more@example.org.",
                ],
            problems
        );
    }

    [Fact]
    public void EverythingThatIsWrongIsSaidAtOnce()
    {
        var folder = Directory.CreateTempSubdirectory("mail-templates").FullName;
        File.WriteAllText(Path.Combine(folder, "order.paid.en.txt"), "no subject");
        try
        {
            Assert.False(
                MailSettings.TryRead(
                    new()
                    {
                        Host = "h",
                        User = "u",
                        Retries = "soon",
                        Templates = folder,
                    },
                    out _,
                    out var problems
                )
            );
            Assert.Equal(
                [
                    "Mail:Host is set, and Mail:From is not; give the address that mails come from, such as shop@example.org.",
                    "Of Mail:User and Mail:Password one is set; give both, or neither.",
                    "Mail:Retries: \"soon\" is no wait: a whole number with ms, s, m, h or d, from 1ms to 7d, such as 5m.",
                    "Mail:Templates: order.paid.en.txt:1: The first line is \"Subject: …\".",
                ],
                problems
            );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
