using Grains.Orders.Deliveries.Mail;
using Xunit;

namespace Unit.Client;

public sealed class MailVerbsTests
{
    private readonly ConsoleInMemory _console = new();

    [Theory]
    [InlineData("paid, order.placed,paid", "ann gets by mail: placed, paid.\n", "order.placed order.paid")]
    [InlineData("none", "ann gets by mail: nothing.\n", "")]
    [InlineData("all", "ann gets by mail: everything.\n", null)]
    public async Task WhatACustomerWantsIsSetAndShown(string mail, string said, string? types)
    {
        Assert.Equal(said, (await _console.Run("orders", "preferences", "set", "ann", "--mail", mail)).Output);
        Assert.Equal(said, (await _console.Run("orders", "preferences", "show", "ann")).Output);
        Assert.Equal(
            types,
            (await _console.Cluster.KnownMail.Preferences("ann", TestContext.Current.CancellationToken)).Types is { } kept
                ? string.Join(' ', kept)
                : null
        );
    }

    [Fact]
    public async Task PreferencesCanBeReadByPrograms()
    {
        Assert.Equal(
            "{\"customer\":\"ann\",\"mail\":null}\n",
            (await _console.Run("orders", "preferences", "show", "ann", "--json")).Output
        );
        Assert.Equal(
            "{\"customer\":\"ann\",\"mail\":[\"order.paid\"]}\n",
            (await _console.Run("orders", "preferences", "set", "ann", "--mail", "paid", "--json")).Output
        );
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("")]
    [InlineData("paid,,placed")]
    [InlineData("order.order.paid")]
    public async Task WhatIsNoTypeIsWrongUsage(string mail)
    {
        var ran = await _console.Run("orders", "preferences", "set", "ann", "--mail", mail);
        Assert.Equal(ExitCode.WrongUsage, ran.Code);
        Assert.Contains(
            "is no type of change; there are order.placed, order.paid, order.shipped, order.completed, order.cancelled, order.refunded.",
            ran.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task SuppressionsAreListedShownAndRemovedByTheWholeAddress()
    {
        Assert.Equal("Mail goes to every address.\n", (await _console.Run("orders", "suppressions", "list")).Output);
        await Suppress("ann@example.org");

        Assert.Equal(
            [
                "address         since                 reason    what was said",
                "a…@example.org  2026-03-01 12:00:00Z  smtp-550  The recipient was refused with 550 5.1.1: unknown",
            ],
            (await _console.Run("orders", "suppressions", "list")).Lines
        );
        Assert.Equal(
            "a…@example.org gets no mail since 2026-03-01 12:00:00Z (smtp-550): The recipient was refused with 550 5.1.1: unknown\n",
            (await _console.Run("orders", "suppressions", "show", "ANN@example.org")).Output
        );
        Assert.Equal(
            "Mail goes to ann@example.org again.\n",
            (await _console.Run("orders", "suppressions", "remove", "ann@example.org")).Output
        );
        var again = await _console.Run("orders", "suppressions", "remove", "ann@example.org");
        Assert.Equal(
            (ExitCode.Failed, true),
            (again.Code, again.Error.Contains("Mail goes to this address: it is not suppressed.", StringComparison.Ordinal))
        );
    }

    [Fact]
    public async Task SuppressionsCanBeReadByPrograms()
    {
        await Suppress("ann@example.org");
        var line =
            $$"""{"id":"{{Suppression.Key("ann@example.org")}}","address":"a…@example.org","at":"2026-03-01T12:00:00+00:00","reason":"smtp-550","detail":"The recipient was refused with 550 5.1.1: unknown"}""";
        Assert.Equal([line], (await _console.Run("orders", "suppressions", "list", "--json")).Entries);
        Assert.Equal([line], (await _console.Run("orders", "suppressions", "show", "ann@example.org", "--json")).Lines);
    }

    private async Task Suppress(string address)
    {
        for (var mail = 0; mail < Suppression.Needed; mail++)
        {
            await _console.Cluster.MailKept.Bounced(
                address,
                $"{mail}",
                MailOutcome.Answered(SmtpStage.Recipient, 550, "5.1.1 unknown"),
                CancellationToken.None
            );
        }
    }
}
