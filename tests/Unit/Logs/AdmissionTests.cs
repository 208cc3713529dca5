using Grains.Logs.Intake;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Unit.Logs;

public sealed class AdmissionTests
{
    private readonly Admission _admission = new(maxBytes: 1000, share: 0.5);

    [Fact]
    public void WhatDoesNotFitIsTurnedAwayAndCounted()
    {
        using var first = _admission.Admit(700);

        Assert.Null(_admission.Admit(301));
        Assert.Equal((700, 1), (_admission.Held, _admission.TurnedAway));
        Assert.NotNull(_admission.Admit(300));
    }

    [Fact]
    public void ARequestLargerThanEverythingIsLetInWhenItIsAlone()
    {
        using var large = _admission.Admit(5000);

        Assert.NotNull(large);
        Assert.Null(_admission.Admit(1));
    }

    [Fact]
    public void ATicketThatIsGivenBackMakesRoomOnce()
    {
        var ticket = _admission.Admit(600)!;
        ticket.Dispose();
        ticket.Dispose();

        Assert.Equal(0, _admission.Held);
    }

    [Fact]
    public void ABodyThatTurnsOutLargerMustFitToo()
    {
        using var first = _admission.Admit(400)!;
        using var second = _admission.Admit(400)!;

        Assert.False(second.Resize(601));
        Assert.Equal(800, _admission.Held);
        Assert.True(second.Resize(600));
        Assert.True(first.Resize(100));
        Assert.Equal(700, _admission.Held);
    }

    [Fact]
    public void OneServiceLeavesRoomForTheOthers()
    {
        using var other = _admission.Admit(10)!;
        Assert.True(other.Name("till"));
        using var first = _admission.Admit(400)!;
        Assert.True(first.Name("shop"));
        using var second = _admission.Admit(200)!;

        Assert.False(second.Name("shop"));
        Assert.True(second.Name("cart"));
    }

    [Fact]
    public void AServiceThatIsAloneMayHaveEverything()
    {
        using var first = _admission.Admit(400)!;
        Assert.True(first.Name("shop"));
        using var second = _admission.Admit(500)!;

        Assert.True(second.Name("shop"));
    }

    [Fact]
    public void WhatAServiceHeldIsFreeAgainWhenItsRequestsAreAnswered()
    {
        using var other = _admission.Admit(10)!;
        Assert.True(other.Name("till"));
        var first = _admission.Admit(400)!;
        Assert.True(first.Name("shop"));
        first.Dispose();
        using var second = _admission.Admit(400)!;

        Assert.True(second.Name("shop"));
    }

    [Fact]
    public void BodiesThatAreStillComingHaveHalfOfTheBufferAndWhatIsSmallIsFreeOfThat()
    {
        var admission = new Admission(maxBytes: 1_000_000, share: 1);
        using var one = admission.Admit(400_000, () => { })!;
        using var two = admission.Admit(50_000, () => { })!;

        Assert.Null(admission.Admit(200_000, () => { }));
        using var small = admission.Admit(Admission.SmallBody, () => { });
        Assert.NotNull(small);
        using var whole = admission.Admit(200_000);
        Assert.NotNull(whole);

        one.Arrived();
        using var next = admission.Admit(200_000, () => { });
        Assert.NotNull(next);
    }

    [Fact]
    public void OneBodyThatIsStillComingMayHaveTheWholeBuffer()
    {
        var admission = new Admission(maxBytes: 1_000_000, share: 1);
        using var large = admission.Admit(4_000, () => { })!;

        Assert.True(large.Resize(1_000_000));
    }

    [Fact]
    public void ABodyThatStalledIsGivenUpForAnotherOneAndOneThatComesIsNot()
    {
        var clock = new FakeTimeProvider();
        var admission = new Admission(maxBytes: 1_000_000, share: 1, clock);
        var evicted = new List<string>();
        using var stalled = admission.Admit(900_000, () => evicted.Add("stalled"))!;
        clock.Advance(Admission.Stalled);
        using var coming = admission.Admit(50_000, () => evicted.Add("coming"))!;
        clock.Advance(Admission.Stalled);
        coming.Progressed();

        using var next = admission.Admit(200_000);

        Assert.NotNull(next);
        Assert.Equal(["stalled"], evicted);
        Assert.Equal((250_000, 0), (admission.Held, admission.TurnedAway));
        Assert.False(stalled.Resize(900_001));
        Assert.Null(admission.Admit(800_000));
        Assert.Equal(["stalled"], evicted);
    }

    [Fact]
    public void ABodyThatIsHereIsNotGivenUpHoweverLongItWaits()
    {
        var clock = new FakeTimeProvider();
        var admission = new Admission(maxBytes: 1_000, share: 1, clock);
        using var here = admission.Admit(900, () => Assert.Fail("It is here."))!;
        here.Arrived();
        clock.Advance(TimeSpan.FromHours(1));

        Assert.Null(admission.Admit(200));
        Assert.Equal(900, admission.Held);
    }
}
