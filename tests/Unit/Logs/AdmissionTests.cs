using Grains.Logs.Intake;
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
}
