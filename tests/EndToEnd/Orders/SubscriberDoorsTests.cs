using System.Globalization;
using System.Text.Json;
using Grains.Orders.Audit;
using Xunit;
using static EndToEnd.Orders.OrderDoor;

namespace EndToEnd.Orders;

/// <summary>Subscribers and what they could not handle, over HTTP and at the console of a real silo.</summary>
public sealed class SubscriberDoorsTests(WitnessSilo silo) : IClassFixture<WitnessSilo>
{
    private OrderDoor Door => silo.Door;

    [Fact]
    public async Task DeadLettersAreShownReplayedAndDiscardedOverHttp()
    {
        var order = await Door.Placed("fails-http", steps: "pay");
        var gone = await Door.Placed("fails-http-gone");
        await Door.Settled();

        var letters = await Letters(order);
        Assert.Equal(["order.placed", "order.paid"], letters.Select(letter => Text(letter, "change")));
        Assert.All(letters, letter =>
            Assert.Equal(
                ("witness", "told to fail", "The customer's name says so."),
                (Text(letter, "subscriber"), Text(letter, "reason"), Text(letter, "detail"))
            )
        );
        var id = Text(letters[0], "id");
        var shown = await Door.Get($"/api/orders/dead-letters/{id}");
        Assert.Equal((200, letters[0].GetRawText()), (shown.Status, shown.Body));
        Assert.Equal(
            "told to fail: The customer's name says so.",
            Text(Assert.Single(shown.Json.GetProperty("history").EnumerateArray()), "what")
        );

        // Not mended: it comes back.
        Assert.Equal((200, """{"count":1,"left":0}"""), await Done("replay", $"id={id}"));
        await Door.Settled();
        Assert.Equal(2, (await Letters(order)).Length);
        silo.Mend("fails-http");
        Assert.Equal((200, """{"count":1,"left":0}"""), await Done("replay", $"id={id}"));
        await Door.Settled();
        Assert.Equal("order.paid", Text(Assert.Single(await Letters(order)), "change"));
        Assert.Equal((404, $"There is no dead letter \"{id}\"."), (await Door.Post($"/api/orders/dead-letters/replay?id={id}")).Problem);

        Assert.Equal((200, """{"count":1,"left":0}"""), await Done("discard", $"id={Text(Assert.Single(await Letters(gone)), "id")}"));
        Assert.Empty(await Letters(gone));
        Assert.Equal((200, """{"count":0,"left":0}"""), await Done("discard", "subscriber=witness&reason=no%20such"));
        Assert.Equal(
            (400, "Say which: \"id\", or \"subscriber\" or \"reason\" or both, or \"all=true\"."),
            (await Door.Post("/api/orders/dead-letters/discard")).Problem
        );
        Assert.Equal(400, (await Door.Post("/api/orders/dead-letters/replay?all=false")).Status);

        // Who did what is in the audit of the order, in its order.
        Assert.Equal(["order.placed", "order.paid", "witness.replayed", "witness.replayed"], await Recorded(order, 4));
        Assert.Equal(["order.placed", "witness.discarded"], await Recorded(gone, 2));
    }

    [Fact]
    public async Task DeadLettersAreShownReplayedAndDiscardedAtTheConsole()
    {
        var order = await Door.Placed("fails-console", steps: "pay");
        var gone = await Door.Placed("fails-console-gone");
        await Door.Settled();

        var letters = (await Door.RunJson("dead-letters", "list", "--subscriber", "witness"))
            .Where(letter => Text(letter, "orderId") == order)
            .ToArray();
        Assert.Equal(["order.placed", "order.paid"], letters.Select(letter => Text(letter, "change")));
        var id = Text(letters[0], "id");
        Assert.Equal(letters[0].GetRawText(), Assert.Single(await Door.RunJson("dead-letters", "show", id)).GetRawText());
        var show = await Door.Run("dead-letters", "show", id);
        Assert.Contains("told to fail", show.Output, StringComparison.Ordinal);
        Assert.Contains((await Door.RunJson("dead-letters", "list", "--by-reason")), group =>
            Text(group, "reason") == "told to fail" && Number(group, "dead") >= 3
        );

        silo.Mend("fails-console");
        Assert.Equal(new(ExitCode.Done, "1 dead letter is replayed.\n", ""), await Door.Run("dead-letters", "replay", id));
        await Door.Settled();
        Assert.Equal("order.paid", Text(Assert.Single(await Letters(order)), "change"));
        Assert.Equal(
            new(ExitCode.Failed, "", $"There is no dead letter \"{id}\"; \"orders dead-letters list\" shows those that there are.\n"),
            await Door.Run("dead-letters", "replay", id)
        );

        var other = Text(Assert.Single(await Letters(gone)), "id");
        Assert.Equal(ExitCode.WrongUsage, (await Door.Run("dead-letters", "discard", other)).Code);
        Assert.Equal(ExitCode.WrongUsage, (await Door.Run("dead-letters", "discard", "--yes")).Code);
        Assert.Equal(new(ExitCode.Done, "1 dead letter is discarded.\n", ""), await Door.Run("dead-letters", "discard", other, "--yes"));
        Assert.Empty(await Letters(gone));
        Assert.Equal(["order.placed", "witness.discarded"], await Recorded(gone, 2));
        var discarded = JsonElement.Parse((await Door.Run("audit", "proof", gone)).Output);
        var entry = AuditReceipt.FromJson(discarded.GetRawText()).Entries[^1];
        Assert.Equal(
            $"by {Environment.UserName} at the console; told to fail",
            System.Text.Encoding.UTF8.GetString(AuditEntry.Decode(entry.Entry.Span).Payload.Span)
        );
    }

    /// <summary>Of its own place: it ends the silo.</summary>
    [Fact]
    public async Task ASubscriberThatNoSiloRunsIsRemovedAndOneThatRunsIsNot()
    {
        var before = new WitnessSilo();
        await before.InitializeAsync();
        try
        {
            await before.Door.Placed("fails", steps: "pay");
            var subscribers = await before.Door.Settled();
            Assert.Equal(
                [("audit", 2, 2, 0), ("mail", 2, 2, 0), ("plain", 2, 2, 0), ("witness", 2, 0, 2)],
                subscribers
                    .EnumerateArray()
                    .Select(one => (Text(one, "name"), (int)Number(one, "in"), (int)Number(one, "done"), (int)Number(one, "dead")))
            );
            Assert.Equal(
                subscribers.EnumerateArray().Select(one => one.GetRawText()),
                (await before.Door.RunJson("subscribers", "list")).Select(one => one.GetRawText())
            );

            var refused = await before.Door.Send(HttpMethod.Delete, "/api/orders/subscribers/witness", null);
            Assert.Equal(409, refused.Status);
            var told = await before.Door.Run("subscribers", "remove", "witness", "--yes");
            Assert.Equal(new(ExitCode.Failed, "", refused.Json.GetProperty("detail").GetString() + "\n"), told);
            await before.Stop();

            // Another program, which has only the audit and mail.
            await using var silo = await SiloProcess.StartReady(before.Place, "--Orders:Partitions", "2");
            Assert.Equal(204, (await before.Door.Send(HttpMethod.Delete, "/api/orders/subscribers/witness", null)).Status);
            Assert.Equal(
                new(ExitCode.Done, "Subscriber plain is removed.\n", ""),
                await before.Door.Run("subscribers", "remove", "plain", "--yes")
            );
            Assert.Equal(ExitCode.Failed, (await before.Door.Run("subscribers", "remove", "plain", "--yes")).Code);
            Assert.Equal(409, (await before.Door.Send(HttpMethod.Delete, "/api/orders/subscribers/plain", null)).Status);
            Assert.Equal(["audit", "mail"], (await before.Door.RunJson("subscribers", "list")).Select(one => Text(one, "name")));
            Assert.Empty((await before.Door.RunJson("dead-letters", "list")));
            Assert.Equal("There are no dead letters.\n", (await before.Door.Run("dead-letters", "list")).Output);
        }
        finally
        {
            await before.DisposeAsync();
        }
    }

    private async Task<(int, string)> Done(string verb, string which)
    {
        var done = await Door.Post($"/api/orders/dead-letters/{verb}?{which}");
        return (done.Status, done.Body);
    }

    private async Task<JsonElement[]> Letters(string order) =>
        [
            .. (await Door.Get("/api/orders/dead-letters?subscriber=witness&take=200"))
                .Json.GetProperty("deadLetters")
                .EnumerateArray()
                .Where(letter => Text(letter, "orderId") == order),
        ];

    /// <summary>
    /// What the audit has of an order, when it has so many entries: what is told of a dead letter comes to it a moment later.
    /// </summary>
    private async Task<string[]> Recorded(string order, int count)
    {
        string[] types = [];
        await Wait.Until(
            async () =>
            {
                var proof = await Door.Get($"/api/orders/{order}/audit");
                types =
                    proof.Status == 404
                        ? []
                        : [.. AuditReceipt.FromJson(proof.Body).Entries.Select(entry => AuditEntry.Decode(entry.Entry.Span).Type)];
                return types.Length >= count;
            },
            $"{count} entries of {order}",
            () => string.Join(", ", types)
        );

        Assert.True(
            types.Length == count,
            string.Create(CultureInfo.InvariantCulture, $"{count} entries of {order} were awaited, and there are {types.Length}.")
        );
        return types;
    }
}
