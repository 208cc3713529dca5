using Client;
using Xunit;

namespace Unit.Client;

public sealed class WebhookVerbsTests
{
    private readonly ConsoleInMemory _console = new();

    [Fact]
    public async Task AnEndpointIsAddedAndItsSecretShownOnce()
    {
        var added = await _console.Run("orders", "webhooks", "add", "https://example.org/hooks?key=1", "--events", "placed, paid");
        Assert.Equal(
            [
                "id      endpoint00",
                "url     https://example.org/hooks?…",
                "events  order.placed, order.paid",
                "secret  whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ],
            added.Lines
        );
        Assert.DoesNotContain("whsec_", (await _console.Run("orders", "webhooks", "list", "--json")).Output, StringComparison.Ordinal);
        Assert.Equal(
            [
                "id          url                          events                    state    failing since  circuit",
                "endpoint00  https://example.org/hooks?…  order.placed, order.paid  enabled                 closed",
            ],
            (await _console.Run("orders", "webhooks", "list")).Lines
        );
    }

    [Fact]
    public async Task WhatIsWrongIsSaidAsWrongUsage()
    {
        var refused = await _console.Run("orders", "webhooks", "add", "https://example.org/", "--events", "eaten");
        Assert.Equal(ExitCode.WrongUsage, refused.Code);
        Assert.Contains("\"order.eaten\" is no event; events are order.placed,", refused.Error, StringComparison.Ordinal);
        Assert.Contains(
            "There is no webhook \"../x\"; \"orders webhooks list\" shows those that there are.",
            (await _console.Run("orders", "webhooks", "rotate", "../x")).Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task ATestThatWasNotTakenFails()
    {
        await _console.Run("orders", "webhooks", "add", "https://example.org/");
        var tested = await _console.Run("orders", "webhooks", "test", "endpoint00", "--json");
        Assert.Equal(
            (
                ExitCode.Failed,
                """{"id":"endpoint00","messageId":"msg_test_1","delivered":false,"reason":"http-500","detail":"Answered 500.","status":500,"milliseconds":12}"""
                    + "\n"
            ),
            (tested.Code, tested.Output)
        );
    }

    [Fact]
    public async Task ToRemoveOneSomebodyMustSayYes()
    {
        await _console.Run("orders", "webhooks", "add", "https://example.org/");
        Assert.Equal(ExitCode.WrongUsage, (await _console.Run("orders", "webhooks", "remove", "endpoint00")).Code);
        Assert.Equal(
            "Webhook endpoint00 is removed.\n",
            (await _console.Run("orders", "webhooks", "remove", "endpoint00", "--yes")).Output
        );
        Assert.Equal("There are no webhooks.\n", (await _console.Run("orders", "webhooks", "list")).Output);
    }
}
