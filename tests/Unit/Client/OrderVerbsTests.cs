using Grains.Interfaces.Orders;
using Grains.Interfaces.Values;
using Xunit;

namespace Unit.Client;

public sealed class OrderVerbsTests
{
    private readonly ConsoleInMemory _console = new();

    private static string Id(string key) => IdempotencyKey.Of("console", key).OrderId(8).Value;

    [Fact]
    public async Task PlaceTellsTheIdAndTheTotal()
    {
        var printed = await Place("k");
        Assert.Equal((ExitCode.Done, $"Order {Id("k")} is placed: 78.00 EUR.\n", ""), (printed.Code, printed.Output, printed.Error));
    }

    [Fact]
    public async Task PlacePassesOnEverythingThatIsSaid()
    {
        await _console.Run(
            "orders",
            "place",
            "--customer",
            "ann",
            "--line",
            "urn:tea:2:450",
            "--line",
            "pot:1:6900",
            "--currency",
            "USD",
            "--notes",
            "Ring twice.",
            "--email",
            "ann@example.org",
            "--language",
            "en",
            "--pay-before",
            "15m"
        );

        var asked = Assert.Single(_console.Cluster.KnownOrders.Asked);
        Assert.Equal([new OrderLine("urn:tea", 2, 450), new("pot", 1, 6900)], asked.Lines);
        Assert.Equal(
            ("ann", "USD", "Ring twice.", "ann@example.org", "en", ConsoleInMemory.Start.AddMinutes(15)),
            (asked.Customer, asked.Currency, asked.Notes, asked.Email, asked.Language, asked.PayBefore)
        );
    }

    [Fact]
    public async Task ATimeToPayBeforeMayBeATime()
    {
        await _console.Run("orders", "place", "--customer", "ann", "--line", "tea:2:450", "--pay-before", "2030-01-31T12:00:00Z");
        Assert.Equal(new DateTimeOffset(2030, 1, 31, 12, 0, 0, TimeSpan.Zero), _console.Cluster.KnownOrders.Asked.Single().PayBefore);
    }

    [Fact]
    public async Task TheSameKeyPlacesOneOrder()
    {
        await Place("k");
        Assert.Equal(ExitCode.Done, (await Place("k")).Code);
        Assert.Single(_console.Cluster.KnownOrders.All);

        var other = await Place("k", customer: "bob");
        Assert.Equal(
            (ExitCode.Failed, "Something else was asked for under this key before. Choose a new key, or ask the same.\n"),
            (other.Code, other.Error)
        );
    }

    [Fact]
    public async Task WithoutAKeyEachIsAnOrderOfItsOwn()
    {
        await _console.Run("orders", "place", "--customer", "ann", "--line", "tea:2:450");
        await _console.Run("orders", "place", "--customer", "ann", "--line", "tea:2:450");
        Assert.Equal(2, _console.Cluster.KnownOrders.All.Count());
    }

    [Fact]
    public async Task ForProgramsAnOrderIsOneObject() =>
        Assert.Equal(
            $$"""{"id":"{{Id("k")}}","version":1,"status":"placed","customer":"ann","currency":"EUR","lines":[{"sku":"tea","quantity":2,"price":450},{"sku":"pot","quantity":1,"price":6900}],"total":7800,"notes":null,"email":null,"language":null,"payBefore":null,"placedAt":"2026-03-01T12:00:00+00:00","updatedAt":"2026-03-01T12:00:00+00:00","reason":null}"""
                + "\n",
            (await Place("k", json: true)).Output
        );

    [Fact]
    public async Task WhatIsWrongWithAnOrderIsToldAtOnce()
    {
        var printed = await _console.Run("orders", "place", "--customer", "ann", "--line", "tea:0:-1", "--json");
        Assert.Equal(
            (
                ExitCode.Failed,
                "",
                """{"error":"Line 1: \"quantity\" is 1 to 1,000,000; this is 0. Line 1: \"price\" is in the currency's minor unit and not below 0; this is -1."}"""
                    + "\n"
            ),
            (printed.Code, printed.Output, printed.Error)
        );
    }

    [Theory]
    [InlineData(
        "--line is SKU:QTY:PRICE with two whole numbers, such as tea:2:450; this is \"tea\". Try: orders place --help\n",
        "--customer",
        "ann",
        "--line",
        "tea"
    )]
    [InlineData(
        "--line is SKU:QTY:PRICE with two whole numbers, such as tea:2:450; this is \"tea:2:4.50\". Try: orders place --help\n",
        "--customer",
        "ann",
        "--line",
        "tea:2:4.50"
    )]
    [InlineData("--line is missing. Try: orders place --help\n", "--customer", "ann")]
    [InlineData(
        "--pay-before is a time such as 2030-01-31T12:00:00Z, or how long from now, such as 15m; this is \"soon\".\n",
        "--customer",
        "ann",
        "--line",
        "tea:2:450",
        "--pay-before",
        "soon"
    )]
    [InlineData(
        "--key is 1 to 255 printable ASCII characters, without spaces at its ends.\n",
        "--customer",
        "ann",
        "--line",
        "tea:2:450",
        "--key",
        "ключ"
    )]
    public async Task AWrongUsageIsASentence(string told, params string[] args)
    {
        var printed = await _console.Run(["orders", "place", .. args]);
        Assert.Equal((ExitCode.WrongUsage, "", told), (printed.Code, printed.Output, printed.Error));
    }

    [Fact]
    public async Task ShowTellsTheOrder()
    {
        await _console.Run(
            "orders",
            "place",
            "--customer",
            "ann",
            "--line",
            "tea:2:450",
            "--key",
            "k",
            "--email",
            "ann@example.org",
            "--pay-before",
            "1h",
            "--notes",
            "Ring twice."
        );
        Assert.Equal(
            [
                $"id          {Id("k")}",
                "status      placed",
                "version     1",
                "customer    ann",
                "e-mail      ann@example.org",
                "total       9.00 EUR",
                "line        tea  2 × 4.50 EUR",
                "notes       Ring twice.",
                "pay before  2026-03-01 13:00:00Z",
                "placed      2026-03-01 12:00:00Z",
                "updated     2026-03-01 12:00:00Z",
            ],
            (await _console.Run("orders", "show", Id("k"))).Lines
        );
    }

    [Theory]
    [InlineData("show", "06-1s9xjyjq5zkgjvn8sb8p22w3hz")]
    [InlineData("show", "99-1s9xjyjq5zkgjvn8sb8p22w3hz")]
    [InlineData("show", "06-1s9x")]
    [InlineData("pay", "7")]
    public async Task AnUnknownOrderIsASentenceAndAFailure(string verb, string id)
    {
        var printed = await _console.Run("orders", verb, id);
        Assert.Equal(
            (ExitCode.Failed, "", $"There is no order \"{id}\"; \"orders list\" shows those that there are.\n"),
            (printed.Code, printed.Output, printed.Error)
        );
    }

    [Fact]
    public async Task StepsMoveTheOrderOn()
    {
        await Place("k");
        Assert.Equal($"Order {Id("k")} is paid, at version 2.\n", (await _console.Run("orders", "pay", Id("k"))).Output);
        Assert.Equal(
            $"Order {Id("k")} is shipped, at version 3.\n",
            (await _console.Run("orders", "ship", Id("k"), "--version", "2", "--key", "s")).Output
        );
        Assert.Equal($"Order {Id("k")} is completed, at version 4.\n", (await _console.Run("orders", "complete", Id("k"))).Output);
        Assert.Equal($"Order {Id("k")} is shipped, at version 3.\n", (await _console.Run("orders", "ship", Id("k"), "--key", "s")).Output);
        Assert.Contains(
            "\"status\":\"refunded\"",
            (await _console.Run("orders", "refund", Id("k"), "--json")).Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task AStepThatIsRefusedFailsWithItsReason()
    {
        await Place("k");
        var refused = await _console.Run("orders", "ship", Id("k"));
        Assert.Equal(
            (ExitCode.Failed, "", $"The order {Id("k")} is placed; only a paid one can be shipped.\n"),
            (refused.Code, refused.Output, refused.Error)
        );
        Assert.Equal(
            $"The order {Id("k")} is at version 1, and the step is meant for another. Look at it again.\n",
            (await _console.Run("orders", "cancel", Id("k"), "--version", "7")).Error
        );
    }

    [Fact]
    public async Task ListIsATableForPeopleAndALineEachForPrograms()
    {
        await Place("a");
        await Place("b", customer: "bob");
        await _console.Run("orders", "cancel", Id("a"));

        Assert.Equal(
            [
                "id                             status     customer      total  placed                updated",
                $"{Id("b")}  placed     bob       78.00 EUR  2026-03-01 12:00:00Z  2026-03-01 12:00:00Z",
                $"{Id("a")}  cancelled  ann       78.00 EUR  2026-03-01 12:00:00Z  2026-03-01 12:00:00Z",
            ],
            (await _console.Run("orders", "list")).Lines
        );
        Assert.Equal(
            [Id("a")],
            (await _console.Run("orders", "list", "--status", "cancelled", "--json")).Entries.Select(line => line[7..36])
        );
        Assert.Equal([Id("b")], (await _console.Run("orders", "list", "--customer", "bob", "--json")).Entries.Select(line => line[7..36]));
    }

    [Fact]
    public async Task AListThatHasMoreSaysHowToGoOn()
    {
        await Place("a");
        await Place("b");
        await Place("c");

        var first = await _console.Run("orders", "list", "--take", "2", "--json");
        Assert.Equal((2, ""), (first.Entries.Length, first.Error));
        Assert.Equal($$$"""{"end":{"count":2,"total":null,"more":true,"after":"{{{Id("b")}}}"}}""", first.Lines[^1]);
        var rest = await _console.Run("orders", "list", "--limit", "2", "--after", Id("b"), "--json");
        Assert.Equal((Id("a"), ""), (rest.Entries.Single()[7..36], rest.Error));
        Assert.Equal("""{"end":{"count":1,"total":1,"more":false,"after":null}}""", rest.Lines[^1]);
        Assert.Equal(
            $"The list of orders ends after 2: go on with --after {Id("b")}, or see more with --limit.\n",
            (await _console.Run("orders", "list", "--limit", "2")).Error
        );
    }

    [Fact]
    public async Task AnEmptyListIsASentenceForPeopleAndNothingForPrograms()
    {
        Assert.Equal(
            "There are no orders. Place one with: orders place --customer ann --line tea:2:450\n",
            (await _console.Run("orders", "list")).Output
        );
        Assert.Equal("There is no such order.\n", (await _console.Run("orders", "list", "--status", "paid")).Output);
        Assert.Empty((await _console.Run("orders", "list", "--json")).Entries);
    }

    [Theory]
    [InlineData(
        "--status is placed, paid, shipped, completed, cancelled, refunded; this is \"lost\". Try: orders list --help\n",
        "--status",
        "lost"
    )]
    [InlineData("--limit is a whole number, 1 or more; this is \"0\". Try: orders list --help\n", "--take", "0")]
    [InlineData("\"after\" is wrong: \"x\".\n", "--after", "x")]
    public async Task AWrongListIsASentence(string told, params string[] args)
    {
        var printed = await _console.Run(["orders", "list", .. args]);
        Assert.Equal((ExitCode.WrongUsage, told), (printed.Code, printed.Error));
    }

    [Theory]
    [InlineData(123450, "EUR", "1,234.50 EUR")]
    [InlineData(5, "USD", "0.05 USD")]
    [InlineData(800, "JPY", "800 JPY")]
    [InlineData(1500, "KWD", "1.500 KWD")]
    [InlineData(9007199254740991, "EUR", "90,071,992,547,409.91 EUR")]
    public void AnAmountHasTheDecimalsOfItsCurrency(long minor, string currency, string text) =>
        Assert.Equal(text, Amounts.Format(minor, currency));

    private Task<Printed> Place(string key, string customer = "ann", bool json = false) =>
        _console.Run([
            "orders",
            "place",
            "--customer",
            customer,
            "--line",
            "tea:2:450",
            "--line",
            "pot:1:6900",
            "--key",
            key,
            .. json ? new[] { "--json" } : [],
        ]);
}
