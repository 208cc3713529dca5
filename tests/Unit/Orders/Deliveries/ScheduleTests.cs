using Grains.Orders.Deliveries;
using Grains.Orders.Mail;
using Grains.Orders.Webhooks;
using Xunit;

namespace Unit.Orders.Deliveries;

public sealed class RetryScheduleTests
{
    private static readonly DateTimeOffset Start = Given.Start;

    [Fact]
    public void WebhooksAreTriedTenTimesAsTheStandardSays() =>
        Assert.Equal(
            ["00:00:00", "00:00:05", "00:05:00", "00:30:00", "02:00:00", "05:00:00", "10:00:00", "14:00:00", "20:00:00", "1.00:00:00", null],
            Enumerable.Range(0, 11).Select(made => Wait(made)?.ToString()));

    [Fact]
    public void MailIsTriedForFourToFiveDays()
    {
        var whole = Enumerable.Range(0, RetrySchedule.Mail.Attempts).Aggregate(Start, (at, made) => RetrySchedule.Mail.Next(made, at, null, 0)!.Value) - Start;

        Assert.InRange(whole, TimeSpan.FromDays(4), TimeSpan.FromDays(5));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 15)]
    [InlineData(0.999999, 30)]
    public void AWaitIsUpToATenthLongerByChance(double chance, int seconds) =>
        Assert.Equal(300 + seconds, (RetrySchedule.Webhooks.Next(2, Start, null, chance)!.Value - Start).TotalSeconds, 0.001);

    [Fact]
    public void TheFirstTryIsAtOnceWhateverChanceSays() => Assert.Equal(Start, RetrySchedule.Webhooks.Next(0, Start, null, 0.99));

    [Theory]
    [InlineData(1, 60, 60)]
    [InlineData(1, 3, 5)]
    [InlineData(2, 60, 300)]
    [InlineData(1, 7 * 24 * 3600, 24 * 3600)]
    public void OfTheScheduleAndRetryAfterTheLongerCountsADayAtMost(int made, int asked, int waited) =>
        Assert.Equal(TimeSpan.FromSeconds(waited), RetrySchedule.Webhooks.Next(made, Start, TimeSpan.FromSeconds(asked), 0) - Start);

    [Fact]
    public void RetryAfterAddsNoTry() => Assert.Null(RetrySchedule.Webhooks.Next(10, Start, TimeSpan.FromSeconds(1), 0));

    private static TimeSpan? Wait(int made) => RetrySchedule.Webhooks.Next(made, Start, null, 0) - Start;
}

public sealed class RetryAfterTests
{
    /// <summary>2026-03-01 12:00:00 is a Sunday.</summary>
    [Theory]
    [InlineData("0", 0)]
    [InlineData("120", 120)]
    [InlineData(" 120 ", 120)]
    [InlineData("99999999999999999999999", 7 * 24 * 3600)]
    [InlineData("Sun, 01 Mar 2026 12:01:30 GMT", 90)]
    [InlineData("Sunday, 01-Mar-26 12:01:30 GMT", 90)]
    [InlineData("Sun Mar  1 12:01:30 2026", 90)]
    [InlineData("Sun, 01 Mar 2026 11:00:00 GMT", 0)]
    [InlineData("Fri, 01 Jan 2100 00:00:00 GMT", 7 * 24 * 3600)]
    public void SecondsAndDatesAreWaitsWithABound(string header, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), RetryAfter.Parse(header, Given.Start));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-5")]
    [InlineData("1.5")]
    [InlineData("2026-03-01T12:01:30Z")]
    [InlineData("Mon, 01 Mar 2026 12:01:30 GMT")]
    public void WhatIsNeitherIsNothing(string? header) => Assert.Null(RetryAfter.Parse(header, Given.Start));
}

public sealed class DeliveryPlanTests
{
    private static readonly DateTimeOffset Now = Given.Start;

    [Theory]
    [InlineData(200, DeliveryNext.Delivered, null)]
    [InlineData(204, DeliveryNext.Delivered, null)]
    [InlineData(301, DeliveryNext.Again, 5)]
    [InlineData(400, DeliveryNext.Again, 5)]
    [InlineData(404, DeliveryNext.Again, 5)]
    [InlineData(410, DeliveryNext.Held, null)]
    [InlineData(429, DeliveryNext.Again, 60)]
    [InlineData(500, DeliveryNext.Again, 60)]
    [InlineData(503, DeliveryNext.Again, 60)]
    public void AWebhooksAnswerDecides(int status, DeliveryNext next, int? seconds) =>
        Assert.Equal(
            new(next, seconds is { } wait ? Now.AddSeconds(wait) : null, 1, $"http-{status}"),
            DeliveryPlan.After(WebhookOutcome.Answered(status, status is 429 or >= 500 ? "60" : null, Now), made: 0, RetrySchedule.Webhooks, Now, chance: 0));

    [Fact]
    public void TheTenthFailureIsADeadLetterWithItsReason() =>
        Assert.Equal(
            new(DeliveryNext.Dead, null, 10, "timeout"),
            DeliveryPlan.After(WebhookOutcome.Failed(WebhookFailure.Timeout, "Late."), made: 9, RetrySchedule.Webhooks, Now, chance: 0));

    [Fact]
    public void WhatTheCircuitHeldBackIsNoTry() =>
        Assert.Equal(
            new(DeliveryNext.Again, Now.AddSeconds(15), 9, "circuit-open"),
            DeliveryPlan.After(
                WebhookOutcome.Failed(WebhookFailure.CircuitOpen, "Not sent.") with { RetryAfter = TimeSpan.FromSeconds(15) }, made: 9, RetrySchedule.Webhooks, Now, chance: 0));

    [Theory]
    [InlineData(250, DeliveryNext.Delivered)]
    [InlineData(421, DeliveryNext.Again)]
    [InlineData(450, DeliveryNext.Again)]
    [InlineData(451, DeliveryNext.Again)]
    [InlineData(452, DeliveryNext.Again)]
    [InlineData(550, DeliveryNext.Dead)]
    [InlineData(552, DeliveryNext.Dead)]
    [InlineData(554, DeliveryNext.Dead)]
    public void AMailServersReplyDecides(int code, DeliveryNext next)
    {
        var outcome = code == 250 ? MailOutcome.Delivered("Taken.", 250) : MailOutcome.Answered(SmtpStage.Message, code, "no");

        Assert.Equal(next, DeliveryPlan.After(outcome, made: 0, RetrySchedule.Mail, MailAfterUnknown.SendAgain, Now, chance: 0).Next);
    }

    [Theory]
    [InlineData(MailAfterUnknown.SendAgain, DeliveryNext.Again)]
    [InlineData(MailAfterUnknown.GiveUp, DeliveryNext.Dead)]
    public void WhatNobodyCanKnowIsForThePolicyToSay(MailAfterUnknown policy, DeliveryNext next) =>
        Assert.Equal(next, DeliveryPlan.After(MailOutcome.Lost(afterDot: true, "cut", "Cut."), made: 0, RetrySchedule.Mail, policy, Now, chance: 0).Next);
}

public sealed class CustomerPreferencesTests
{
    [Fact]
    public void WhoeverSaidNothingWantsEverything() => Assert.True(CustomerPreferences.Everything.Wants("mail", "order.paid"));

    [Fact]
    public void OnAChannelThatIsNamedOnlyItsTypesAreWanted()
    {
        var preferences = CustomerPreferences.Everything.With("mail", "order.shipped");

        Assert.True(preferences.Wants("mail", "order.shipped"));
        Assert.False(preferences.Wants("mail", "order.paid"));
        Assert.False(CustomerPreferences.Everything.With("mail").Wants("mail", "order.shipped"));
    }

    [Fact]
    public void WhatDoesNotExistIsNamed()
    {
        Assert.Null(CustomerPreferences.Everything.With("mail", "order.paid").Fault());
        Assert.Equal("«fax» is no channel; channels are mail.", CustomerPreferences.Everything.With("fax", "order.paid").Fault());
        Assert.Equal(
            "«order.lost» is no type of change; types are order.placed, order.paid, order.shipped, order.completed, order.cancelled, order.refunded.",
            CustomerPreferences.Everything.With("mail", "order.lost").Fault());
    }
}
