using System.Text;
using Grains.Interfaces.Orders;
using Grains.Orders.Deliveries.Webhooks;
using Xunit;

namespace Unit.Orders.Deliveries.Webhooks;

public sealed class AnswerTextTests
{
    [Theory]
    [InlineData("no such table", "no such table")]
    [InlineData("", null)]
    [InlineData(" \r\n\t", null)]
    [InlineData("{\n  \"error\": 1\n}\n", "{   \"error\": 1 }")]
    [InlineData("red \u001b[31malert", "red  [31malert")]
    public void AnAnswerIsOneLineOfText(string body, string? expected) =>
        Assert.Equal(expected, AnswerText.Of(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void ABodyThatIsNoUtf8IsShownAsFarAsItIs() => Assert.Equal("a\ufffdb", AnswerText.Of([(byte)'a', 0xff, (byte)'b']));

    /// <summary>The bound falls into the middle of the last character.</summary>
    [Fact]
    public void NoMoreThanAKibibyteIsKeptAndNoHalfCharacter()
    {
        var answer = AnswerText.Of(Encoding.UTF8.GetBytes("x" + new string('ä', 1000)))!;
        Assert.Equal(HandlingTry.MaxAnswerBytes - 1, Encoding.UTF8.GetByteCount(answer));
        Assert.DoesNotContain('\ufffd', answer);
    }

    [Fact]
    public void WhatIsCutInACharactersMiddleIsLeftOut() => Assert.Equal("x", AnswerText.Of([(byte)'x', 0xe2, 0x82]));
}
