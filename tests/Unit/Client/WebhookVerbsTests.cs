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
            "\"../x\" is no endpoint's id, nor the beginning of one: it would be 10 small letters and digits.",
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

    [Fact]
    public async Task AnEndpointIsEditedPausedAndResumed()
    {
        await _console.Run("orders", "webhooks", "add", "https://example.org/");
        var edited = await _console.Run("orders", "webhooks", "edit", "endpoint00", "--events", "paid", "--rate", "2.5", "--grace", "48h");
        Assert.Equal(["Webhook endpoint00 is edited."], edited.Lines);
        Assert.Contains(
            "\"events\":[\"order.paid\"],",
            (await _console.Run("orders", "webhooks", "list", "--json")).Output,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "\"perSecond\":2.5,\"graceSeconds\":172800,",
            (await _console.Run("orders", "webhooks", "list", "--json")).Output,
            StringComparison.Ordinal
        );

        await _console.Run("orders", "webhooks", "pause", "endpoint00");
        Assert.Contains("paused", (await _console.Run("orders", "webhooks", "list")).Output, StringComparison.Ordinal);
        Assert.Contains(
            "\"pausedSince\":null",
            (await _console.Run("orders", "webhooks", "resume", "endpoint00", "--json")).Output,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "\"events\":[],",
            (await _console.Run("orders", "webhooks", "edit", "endpoint00", "--events", "all", "--rate", "default", "--json")).Output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("Nothing is to change: give --url, --events, --rate or --grace.")]
    [InlineData("--rate is a number of requests per second, or \"default\"; this is \"fast\".", "--rate", "fast")]
    [InlineData("--rate is a number of requests per second, or \"default\"; this is \"-1\".", "--rate=-1")]
    [InlineData("Requests per second are 0.1 to 100000, or 0 for the silo's setting; this is 0.01.", "--rate", "0.01")]
    [InlineData("--grace is a time such as 30m or 48h; this is \"long\".", "--grace", "long")]
    [InlineData("The grace of a rotation is 0 to 30 days; this is 2595600 seconds.", "--grace", "721h")]
    public async Task AnEditThatIsWrongIsWrongUsageBeforeAConnectionIsMade(string says, params string[] args)
    {
        var wrong = await _console.Run(["orders", "webhooks", "edit", "endpoint00", .. args]);
        Assert.Equal((ExitCode.WrongUsage, 0), (wrong.Code, _console.Opens));
        Assert.StartsWith(says, wrong.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("edit", "--rate", "1")]
    [InlineData("pause")]
    [InlineData("resume")]
    public async Task AnEndpointThatThereIsNotIsNamed(string verb, params string[] args)
    {
        var none = await _console.Run(["orders", "webhooks", verb, "0123456789", .. args]);
        Assert.Equal(ExitCode.Failed, none.Code);
        Assert.StartsWith("There is no webhook \"0123456789\"", none.Error, StringComparison.Ordinal);
    }
}
