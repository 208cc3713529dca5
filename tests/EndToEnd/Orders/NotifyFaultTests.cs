using System.Text.Json;
using Doubles.Orders;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>A silo and an outside world for all of these tests.</summary>
public sealed class NotifiedSilo : IAsyncLifetime
{
    private SiloProcess _silo = null!;

    internal NotifiedPlace Notified { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Notified = await NotifiedPlace.Make();
        _silo = await SiloProcess.StartReady(
            Notified.Place,
            [.. Notified.Settings, .. NotifiedPlace.Retries("50ms 100ms 200ms 500ms 1s"), "--Orders:Partitions", "2"]
        );

        // The mail server is known to be well: what a test makes of it does not open its circuit.
        for (var i = 0; i < 20; i++)
        {
            var order = await Notified.PlaceOrder("well", "well@example.org");
            await Notified.Delivery(order, "mail", status: "delivered");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        await Notified.DisposeAsync();
    }
}

/// <summary>
/// Every answer that the outside world can give, and what it comes to: at the outside world's own ledger, and as <c>orders deliveries</c>
/// tells it.
/// </summary>
public sealed class NotifyFaultTests(NotifiedSilo silo) : IClassFixture<NotifiedSilo>
{
    private static int _numbers;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private NotifiedPlace Notified => silo.Notified;

    private OutsideProcess Outside => silo.Notified.Outside;

    [Theory]
    [InlineData(200)]
    [InlineData(204)]
    public async Task AWebhookThatIsTakenIsDeliveredOnce(int status)
    {
        var (path, delivery) = await Webhook(new EndpointAnswer { Status = status });

        Assert.Equal(("delivered", $"http-{status}", 1), Came(delivery));
        Assert.Equal([$"{status}"], await Answers(path));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task ARedirectIsAFailureAndIsNotFollowed(int status)
    {
        var elsewhere = $"/elsewhere-{status}";
        var (path, delivery) = await Webhook(
            new EndpointAnswer
            {
                Status = status,
                Location = Outside.Url(elsewhere).AbsoluteUri,
                Times = 1,
            }
        );

        Assert.Equal(("delivered", "http-204", 2), Came(delivery));
        Assert.Equal([$"{status}", "204"], await Answers(path));
        Assert.DoesNotContain(elsewhere, (await Outside.Counts(Cancel)).Keys);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task AWebhookThatIsRefusedIsTriedAgainUnderTheSameId(int status)
    {
        var (path, delivery) = await Webhook(new EndpointAnswer { Status = status, Times = 2 });

        Assert.Equal(("delivered", "http-204", 3), Came(delivery));
        Assert.Equal([$"{status}", $"{status}", "204"], await Answers(path));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task AnEndpointThatAsksForTimeGetsIt(int status)
    {
        var (path, delivery) = await Webhook(
            new EndpointAnswer
            {
                Status = status,
                RetryAfter = "2",
                Times = 1,
            }
        );

        Assert.Equal(("delivered", "http-204", 2), Came(delivery));
        var calls = await Effects(path);
        Assert.True(
            TimeSpan.FromTicks(calls[1].Ticks - calls[0].Ticks) >= TimeSpan.FromSeconds(2),
            "It was called again before the time that it asked for was over."
        );
    }

    [Theory]
    [InlineData(EndpointManner.Endless, "delivered", "http-200", 1)]
    [InlineData(EndpointManner.Cuts, "delivered", "http-204", 2)]
    public async Task ABodyWithoutEndIsCutOffAndAnAnswerThatIsLostIsAskedForAgain(
        EndpointManner manner,
        string status,
        string reason,
        int attempts
    )
    {
        var (path, delivery) = await Webhook(
            new EndpointAnswer
            {
                Manner = manner,
                Status = 200,
                Times = 1,
            }
        );

        Assert.Equal((status, reason, attempts), Came(delivery));
        Assert.Equal(attempts, (await Effects(path)).Count);
    }

    [Fact]
    public async Task AnEndpointThatIsGoneIsDisabledAndWhatItMissedIsReplayedWhenItIsBack()
    {
        var path = NewPath();
        await Outside.Behave(path, new EndpointAnswer { Status = 410, Times = 1 });
        var id = await Notified.AddWebhook(path);
        var first = await Notified.PlaceOrder("gone", email: null);
        Assert.Equal(
            ("dead", "endpoint-disabled"),
            Came(await Notified.Delivery(first, $"webhook-{id}")) is var (status, reason, _) ? (status, reason) : default
        );
        Assert.False((await Notified.Get($"/api/orders/webhooks/{id}")).GetProperty("enabled").GetBoolean());
        var second = await Notified.PlaceOrder("gone", email: null);
        Assert.Equal("dead", (await Notified.Delivery(second, $"webhook-{id}")).GetProperty("status").GetString());
        Assert.Equal(["410"], await Answers(path));

        await Notified.Post($"/api/orders/webhooks/{id}/enable");
        await using (
            var replay = await ConsoleProcess.Reach(
                "orders",
                "dead-letters",
                "replay",
                "--subscriber",
                $"webhook-{id}",
                "--gateway",
                $"{Notified.Place.Gateway}"
            )
        )
        {
            Assert.True(await replay.Exit == 0, replay.Said);
        }

        Assert.Equal("http-204", (await Notified.Delivery(first, $"webhook-{id}", status: "delivered")).GetProperty("reason").GetString());
        await Notified.Delivery(second, $"webhook-{id}", status: "delivered");
        Assert.Equal(
            [(first, 2), (second, 1)],
            (await Effects(path))
                .GroupBy(effect => effect.Id, StringComparer.Ordinal)
                .OrderByDescending(id => id.Count())
                .Select(id => (id.Key.Split('_')[1], id.Count()))
        );
        await Notified.Delete($"/api/orders/webhooks/{id}");
    }

    [Theory]
    [InlineData("MAIL", "421 4.3.2 closing", true)]
    [InlineData("RCPT", "450 4.2.1 busy", false)]
    [InlineData("RCPT", "451 4.3.0 later", false)]
    [InlineData(".", "451 4.3.0 later", false)]
    [InlineData(".", "452 4.3.1 no room", false)]
    [InlineData("RCPT", "552 5.2.2 Mailbox full", false)]
    [InlineData("body", null, true)]
    public async Task AMailThatIsPutOffIsTriedAgainAndArrivesOnce(string at, string? reply, bool cuts)
    {
        // There is a kept connection, which was used a moment ago: one that was not used for long is not taken again.
        await Notified.Delivery(await Notified.PlaceOrder("well", "well@example.org"), "mail", status: "delivered");
        var (address, delivery) = await Mail(
            new SmtpAnswer
            {
                At = at,
                Reply = reply,
                Cuts = cuts,
                Times = 1,
            }
        );

        // A kept connection that the server closes is replaced within the try.
        Assert.Equal(("delivered", "smtp-250", at == "MAIL" ? 1 : 2), Came(delivery));
        Assert.Equal(["250"], await Answers(address));
    }

    [Theory]
    [InlineData("RCPT", "550 5.1.1 nobody of this name", true)]
    [InlineData("RCPT", "554 5.7.1 not from you", false)]
    [InlineData(".", "554 5.6.0 not such a mail", false)]
    public async Task AMailThatIsRefusedIsDeadAndTheSecondOneSuppressesItsAddressWhereTheRefusalIsAboutIt(
        string at,
        string reply,
        bool suppresses
    )
    {
        var (address, delivery) = await Mail(
            new SmtpAnswer
            {
                At = at,
                Reply = reply,
                Times = 2,
            }
        );
        Assert.Equal(("dead", $"smtp-{reply[..3]}", 1), Came(delivery));
        var second = await Notified.Delivery(await Notified.PlaceOrder("refused", address), "mail");
        Assert.Equal(("dead", $"smtp-{reply[..3]}", 1), Came(second));

        var next = await Notified.Delivery(await Notified.PlaceOrder("refused", address), "mail");
        Assert.Equal(
            suppresses ? ("suppressed", "address-suppressed") : ("delivered", "smtp-250"),
            Came(next) is var (status, reason, _) ? (status, reason) : default
        );
        Assert.Equal(suppresses ? [] : ["250"], await Answers(address));
    }

    [Fact]
    public async Task AMailThatWasCutAfterItsFinalDotIsSentAgainUnderTheSameMessageId()
    {
        var (address, delivery) = await Mail(
            new SmtpAnswer
            {
                At = ".",
                Cuts = true,
                Times = 1,
            }
        );

        Assert.Equal(("delivered", "smtp-250", 2), Came(delivery));
        Assert.StartsWith("unknown:", delivery.GetProperty("tries")[0].GetProperty("what").GetString(), StringComparison.Ordinal);
        Assert.Equal(["unknown", "250"], await Answers(address));
        Assert.Single((await Effects(address)).Select(effect => effect.Id).Distinct());
    }

    private static (string? Status, string? Reason, int Attempts) Came(JsonElement delivery) =>
        (
            delivery.GetProperty("status").GetString(),
            delivery.GetProperty("reason").GetString(),
            delivery.GetProperty("attempts").GetInt32()
        );

    private static string NewPath() => $"/hook-{Interlocked.Increment(ref _numbers)}";

    /// <summary>An endpoint of its own, and what became of telling it of an order.</summary>
    private async Task<(string Path, JsonElement Delivery)> Webhook(EndpointAnswer answer)
    {
        var path = NewPath();
        await Outside.Behave(path, answer);
        var id = await Notified.AddWebhook(path);
        var order = await Notified.PlaceOrder("faulty", email: null);
        var delivery = await Notified.Delivery(order, $"webhook-{id}");
        await Notified.Delete($"/api/orders/webhooks/{id}");
        Assert.All(await Effects(path), effect =>
            Assert.Equal(($"msg_{order}_1", "order.placed", "Good"), (effect.Id, effect.Type, effect.Signature))
        );
        return (path, delivery);
    }

    /// <summary>A recipient of its own, and what became of telling them of an order.</summary>
    private async Task<(string Address, JsonElement Delivery)> Mail(SmtpAnswer answer)
    {
        var address = $"faulty-{Interlocked.Increment(ref _numbers)}@example.org";
        await Outside.Smtp(answer with { Recipient = answer.At == "MAIL" ? "" : address });
        return (address, await Notified.Delivery(await Notified.PlaceOrder("faulty", address), "mail"));
    }

    private async Task<IEnumerable<string>> Answers(string to) => (await Effects(to)).Select(effect => effect.Answer);

    private async Task<List<OutsideEffect>> Effects(string to) => [.. (await Outside.AllEffects(Cancel)).Where(effect => effect.To == to)];
}
