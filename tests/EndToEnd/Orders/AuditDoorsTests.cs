using System.Text;
using System.Text.Json;
using Grains.Orders.Audit;
using Grains.Orders.Rows;
using Grains.Storage;
using Silo.Storage;
using Xunit;
using static EndToEnd.Orders.OrderDoor;

namespace EndToEnd.Orders;

/// <summary>A silo with one partition of orders, whose audit is looked at.</summary>
public sealed class AuditedSilo : IAsyncLifetime
{
    private SiloProcess? _silo;

    public SiloPlace Place { get; } = new();

    internal OrderDoor Door { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Door = new(Place);
        await Start();
    }

    public async Task Start() => _silo = await SiloProcess.StartReady(Place, "--Orders:Partitions", "1");

    /// <summary>Ends it as an operator does.</summary>
    public async Task Stop()
    {
        Assert.Equal(0, await _silo!.Stop());
        await _silo.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        Door.Dispose();
        Place.Dispose();
    }
}

/// <summary>What the audit of a real silo is worth: proofs that hold without it, and rows that somebody changed behind its back.</summary>
public sealed class AuditDoorsTests(AuditedSilo silo) : IClassFixture<AuditedSilo>
{
    private static readonly string Place = SubscriberTable.Partition(new(AuditSubscriber.Name, 0));

    private OrderDoor Door => silo.Door;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("over HTTP")]
    [InlineData("at the console")]
    public async Task WhatIsPersonalIsErasedAndProofsFromBeforeAndAfterHold(string door)
    {
        var (customer, address) = ($"Zoë {door}", $"zoe-{door[..2]}@example.org");
        var order = await Door.Placed(customer, $$""","email":"{{address}}","notes":"Ring at Zoë's."}"""[..^1], "pay", "ship");
        var other = await Door.Placed("ann", steps: "pay");
        await Door.Settled();
        await Told(order, mails: 3);
        var head = Path.Combine(silo.Place.Folder, $"head-{door[..2]}");
        Assert.Equal(head, Text(Assert.Single(await Door.RunJson("audit", "head", "--out", head)), "file"));
        var before = await Proof(order);
        Assert.Equal([address, address, address], Addresses(before));

        if (door == "over HTTP")
        {
            var erased = await Door.Post("/api/orders/erase", JsonSerializer.Serialize(new { customer }));
            Assert.Equal(200, erased.Status);
            Assert.StartsWith("""{"orders":1,"changes":3,""", erased.Body, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(ExitCode.WrongUsage, (await Door.Run("erase", "--customer", customer)).Code);
            Assert.StartsWith(
                """{"orders":1,"changes":3,""",
                Assert.Single(await Door.RunJson("erase", "--customer", customer, "--yes")).GetRawText(),
                StringComparison.Ordinal
            );
        }

        await Door.Settled();
        var shown = (await Door.Get($"/api/orders/{order}")).Json;
        Assert.Equal(
            (JsonValueKind.Null, JsonValueKind.Null, 3, 900),
            (shown.GetProperty("email").ValueKind, shown.GetProperty("notes").ValueKind, Number(shown, "version"), Number(shown, "total"))
        );
        Assert.Empty(
            (await Door.Get($"/api/orders?customer={Uri.EscapeDataString(customer)}")).Json.GetProperty("orders").EnumerateArray()
        );
        Assert.Equal([null, null, null, null], Addresses(await Proof(order)));
        var watched = await Watched(order);
        Assert.Equal(3, watched.Length);
        Assert.All(watched, told =>
            Assert.False(told.Contains(address, StringComparison.Ordinal) || told.Contains("Zoë", StringComparison.Ordinal), told)
        );

        // Both proofs hold by themselves, with the public key alone, and so does every kept head.
        var key = AuditPublicKey.FromPem((await Door.Get("/api/orders/audit/key")).Body);
        Assert.Null(AuditReceipt.FromJson(before).Check([key]));
        Assert.Null(AuditReceipt.FromJson(await Proof(order)).Check([key]));
        Assert.Null(AuditReceipt.FromJson(await Proof(other)).Check([key]));
        var held = Assert.Single(await Door.RunJson("audit", "verify", "--all", "--against", head));
        Assert.True(held.GetProperty("holds").GetBoolean());
        Assert.True(Number(held, "erased") >= 3);
        Assert.StartsWith(
            "There is no order of this customer.\n",
            (await Door.Run("erase", "--customer", customer, "--yes")).Output,
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            """{"orders":0,"changes":0,""",
            (await Door.Post("/api/orders/erase", JsonSerializer.Serialize(new { customer }))).Body,
            StringComparison.Ordinal
        );
    }

    /// <summary>
    /// The files are made by the cluster, at the console and over HTTP, and checked where nothing but they and the key is known.
    /// </summary>
    [Fact]
    public async Task WhatTheAuditGivesAwayIsCheckedWithoutTheCluster()
    {
        var order = await Door.Placed("ann", steps: "pay");
        await Door.Settled();
        var (key, older) = (await Kept("key.pem", (await Door.Run("audit", "key")).Output), await Kept("older.json", await Head()));
        await Door.Placed("bob", steps: "pay");
        await Door.Settled();
        var newer = await Kept("newer.json", await Head());
        var atConsole = await Kept("console.json", (await Door.Run("audit", "consistency", older, newer)).Output);
        var asked = await Door.Post("/api/orders/audit/consistency", $$"""{"older":{{await File.ReadAllTextAsync(older, Cancel)}}}""");
        Assert.Equal(200, asked.Status);
        var overHttp = await Kept("http.json", asked.Body);
        var proof = await Kept("proof.json", await Proof(order));
        var checkpoint = await Kept("checkpoint.txt", (await Door.Run("audit", "checkpoint", "0")).Output);

        foreach (
            var (file, kind) in new[]
            {
                (proof, "proof"),
                (older, "head"),
                (atConsole, "consistency"),
                (overHttp, "consistency"),
                (checkpoint, "checkpoint"),
            }
        )
        {
            var found = await Door.Run("audit", "check", file, "--key", key);
            Assert.StartsWith($"The {kind} holds: ", found.Output, StringComparison.Ordinal);
            Assert.Equal(ExitCode.Done, found.Code);
        }

        Assert.Equal(
            400,
            (
                await Door.Post(
                    "/api/orders/audit/consistency",
                    $$"""{"older":{{await File.ReadAllTextAsync(newer, Cancel)}},"newer":{{await File.ReadAllTextAsync(older, Cancel)}}}"""
                )
            ).Status
        );
        var changed = await Kept(
            "changed.json",
            (await File.ReadAllTextAsync(atConsole, Cancel)).Replace("\"second\": ", "\"second\": 1", StringComparison.Ordinal)
        );
        Assert.Equal(ExitCode.Failed, (await Door.Run("audit", "check", changed, "--key", key)).Code);

        async Task<string> Head() => (await Door.Get("/api/orders/audit/head")).Body;

        async Task<string> Kept(string name, string text)
        {
            var path = Path.Combine(silo.Place.Folder, name);
            await File.WriteAllTextAsync(path, text, Cancel);
            return path;
        }
    }

    [Theory]
    [InlineData(AuditFault.Changed)]
    [InlineData(AuditFault.Missing)]
    [InlineData(AuditFault.Reordered)]
    [InlineData(AuditFault.Truncated)]
    public async Task AnEntryThatSomebodyTamperedWithInTheDatabaseIsNamed(AuditFault fault)
    {
        for (var number = 0; number < 4; number++)
        {
            await Door.Placed("ann", steps: ["pay", "ship"]);
            await Door.Settled(); // So that each has a row of its own at least.
        }

        await using var store = SqliteTableStore.Open(Path.Combine(silo.Place.Data, "tables"));
        var rows = (await store.Scan(SubscriberTable.Name, Place, KeyRange.Prefix(AuditRows.EntryPrefix), StoreLimits.MaxScan, Cancel))
            .Select(row => new Entries(row))
            .ToArray();
        Assert.True(rows.Length >= 4);
        Assert.Equal(ExitCode.Done, (await Door.Run("audit", "verify")).Code);
        var (one, next) = (rows[^3], rows[^2]);
        var (changes, index) = fault switch
        {
            AuditFault.Changed => (Changed(one), one.Last),
            AuditFault.Missing => ([RowChange.Delete(one.Key)], one.First),
            AuditFault.Reordered => (Swapped(one, next), one.Last),
            _ => (new List<RowChange> { RowChange.Delete(rows[^1].Key) }, rows[^1].First),
        };
        Assert.Equal(CommitOutcome.Committed, (await store.Commit(SubscriberTable.Name, Place, changes, Cancel)).Outcome);
        try
        {
            var json = await Door.Run("audit", "verify", "--json");
            Assert.Equal(ExitCode.Failed, json.Code);
            var report = JsonElement.Parse(json.Output);
            Assert.False(report.GetProperty("holds").GetBoolean());
            var finding = report.GetProperty("findings")[0];
            Assert.Equal(
                (fault.ToString(), 0, index),
                (Text(finding, "fault"), (int)Number(finding, "partition"), Number(finding, "index"))
            );

            var told = await Door.Run("audit", "verify", "--all");
            Assert.Equal((ExitCode.Failed, ""), (told.Code, told.Error));
            Assert.StartsWith($"Partition 0, entry {index}", told.Output, StringComparison.Ordinal);
            Assert.EndsWith("\nThe audit does not hold.\n", told.Output, StringComparison.Ordinal);
        }
        finally
        {
            Assert.Equal(
                CommitOutcome.Committed,
                (
                    await store.Commit(
                        SubscriberTable.Name,
                        Place,
                        [.. rows[^3..].Select(row => RowChange.Put(row.Key, row.Before))],
                        Cancel
                    )
                ).Outcome
            );
        }

        Assert.Equal(ExitCode.Done, (await Door.Run("audit", "verify", "--all")).Code);
    }

    [Fact]
    public async Task DataThatWasPutBackHoldsByItselfAndNotAgainstAHeadThatSomebodyKept()
    {
        var own = new AuditedSilo();
        await own.InitializeAsync();
        try
        {
            await own.Door.Placed("ann");
            await own.Door.Settled();
            await own.Stop();
            var copy = Path.Combine(own.Place.Folder, "copy");
            Copy(own.Place.Data, copy);

            await own.Start();
            await own.Door.Placed("ann", steps: ["pay", "cancel"]);
            await own.Door.Settled();
            var head = Path.Combine(own.Place.Folder, "head.json");
            Assert.Equal(ExitCode.Done, (await own.Door.Run("audit", "head", "--out", head)).Code);
            Assert.Equal(ExitCode.Done, (await own.Door.Run("audit", "verify", "--against", head)).Code);
            await own.Stop();

            Directory.Delete(own.Place.Data, recursive: true);
            Copy(copy, own.Place.Data);
            await own.Start();
            Assert.Equal(ExitCode.Done, (await own.Door.Run("audit", "verify", "--all")).Code);
            var against = await own.Door.Run("audit", "verify", "--against", head);
            Assert.Equal(ExitCode.Failed, against.Code);
            Assert.Contains("entry 1 is missing and all after it are", against.Output, StringComparison.Ordinal);

            await File.WriteAllTextAsync(
                head,
                (await File.ReadAllTextAsync(head, Cancel)).Replace("\"size\": 4", "\"size\": 1", StringComparison.Ordinal),
                Cancel
            );
            Assert.Contains("signature", (await own.Door.Run("audit", "verify", "--against", head)).Output, StringComparison.Ordinal);
            await File.WriteAllTextAsync(head, "no head", Cancel);
            Assert.Equal(ExitCode.WrongUsage, (await own.Door.Run("audit", "verify", "--against", head)).Code);
            Assert.Equal(ExitCode.WrongUsage, (await own.Door.Run("audit", "verify", "--against", head + "-that-is-not-there")).Code);
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    private static List<RowChange> Changed(Entries row)
    {
        var entry = AuditEntry.Decode(row.Parts[^1]);
        row.Parts[^1] = (entry with { At = entry.At.AddDays(-1) }).Encode();
        return [row.Change];
    }

    private static List<RowChange> Swapped(Entries one, Entries next)
    {
        (one.Parts[^1], next.Parts[0]) = (next.Parts[0], one.Parts[^1]);
        return [one.Change, next.Change];
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var place = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Copy(file, place);
        }
    }

    /// <summary>The order's proof at the console, which is the one over HTTP but for the time of its head.</summary>
    private async Task<string> Proof(string order)
    {
        var proof = await Door.Run("audit", "proof", order);
        Assert.True(proof.Code == ExitCode.Done && proof.Error is "", proof.Error);
        var http = AuditReceipt.FromJson((await Door.Get($"/api/orders/{order}/audit")).Body);
        Assert.Equal(
            http.Entries.Select(entry => Encoding.Latin1.GetString(entry.Entry.Span)),
            AuditReceipt.FromJson(proof.Output).Entries.Select(entry => Encoding.Latin1.GetString(entry.Entry.Span))
        );
        return proof.Output;
    }

    /// <summary>Until the audit was told what became of the order's mails: it hears of that a moment after its changes.</summary>
    private Task Told(string order, int mails) =>
        Wait.Until(
            async () =>
                AuditReceipt
                    .FromJson((await Door.Get($"/api/orders/{order}/audit")).Body)
                    .Entries.Count(entry => Kind(entry) == AuditEntryKind.DeliveryOutcome) >= mails,
            $"the audit to be told of {mails} mails of {order}"
        );

    private static AuditEntryKind Kind(ProvenEntry entry) => AuditEntry.Decode(entry.Entry.Span).Kind;

    /// <summary>From beside each entry of a proof that is not of a mail; null where that is erased, or was never there.</summary>
    private static IEnumerable<string?> Addresses(string proof) =>
        AuditReceipt
            .FromJson(proof)
            .Entries.Where(entry => Kind(entry) != AuditEntryKind.DeliveryOutcome)
            .Select(entry => entry.Personal?.Part.EMail);

    /// <summary>What a watch of the order tells from the start, a line a change.</summary>
    private async Task<string[]> Watched(string order)
    {
        await using var watch = ConsoleProcess.Start(
            "orders",
            "watch",
            order,
            "--from",
            "start",
            "--previous",
            "--json",
            "--gateway",
            $"{silo.Place.Gateway}"
        );
        await Wait.For(watch.Printed(3), $"three changes of {order} to be told", () => watch.Said);
        watch.Interrupt();
        Assert.Equal(ExitCode.Done, await watch.Ended());
        return [.. watch.Output];
    }

    /// <summary>Entries of one commit, as they were and as they are to be.</summary>
    private sealed class Entries(TableRow row)
    {
        public string Key => row.Key;

        public ReadOnlyMemory<byte> Before => row.Payload;

        public byte[]?[] Parts { get; } = [.. AuditRows.Read(row.Payload)];

        public long Last => AuditRows.LastIndex(row.Key);

        public long First => Last - Parts.Length + 1;

        public RowChange Change => RowChange.Put(row.Key, AuditRows.Write(Parts));
    }
}
