using System.Text;
using Silo.StartUp;
using Xunit;
using static EndToEnd.Orders.OrderDoor;

namespace EndToEnd.Orders;

/// <summary>What lies in the data folder of a real silo: what was erased, who can read it, and a table that was lost.</summary>
public sealed class DataAtRestTests : IDisposable
{
    private const string Customer = "Annegret Personenname";
    private const string Address = "annegret.adresse@example.org";
    private const string Note = "Bitte beim Nachbarn Notizwort abgeben";

    private readonly SiloPlace _place = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Tables => Path.Combine(_place.Data, "tables");

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task NothingOfAnErasedCustomerIsLeftInAnyFileOfTheDataFolder()
    {
        // At first mails are written to the folder; later there is a server, which refuses them all.
        await using (var first = await SiloProcess.StartReady(_place))
        {
            using var door = new OrderDoor(_place);
            foreach (var number in Enumerable.Range(0, 20))
            {
                await door.Placed(Customer, $$""","email":"{{Address}}","notes":"{{Note}} {{number}}" """, number % 2 == 0 ? ["pay"] : []);
            }

            await door.Settled();
            await Terminated(first);
        }

        Assert.NotEmpty(Directory.GetFiles(Path.Combine(_place.Data, "mail"), "*.eml"));
        Assert.NotEmpty(FilesWith(Customer));
        Assert.NotEmpty(FilesWith(Address));
        Assert.NotEmpty(FilesWith(Note));

        await using var silo = await SiloProcess.StartReady(
            _place,
            "--Mail:Host",
            "127.0.0.1",
            "--Mail:Port",
            "9",
            "--Mail:From",
            "shop@example.org"
        );
        using var again = new OrderDoor(_place);
        await again.Placed(Customer, $$""","email":"{{Address}}","notes":"{{Note}}" """);
        var erased = await again.Run("erase", "--customer", Customer, "--yes");

        Assert.True(erased.Code == 0, erased.Error);
        Assert.Contains("21 orders are erased", erased.Output, StringComparison.Ordinal);
        Assert.Contains("Not reached: Copies and backups of the data, mail servers", erased.Output, StringComparison.Ordinal);
        if (!erased.Output.Contains("Files cleaned: nothing of it is left in the files of the store.", StringComparison.Ordinal))
        {
            // Somebody read at that moment: the due row tries again, and the next erasure says so.
            Assert.Contains("it is tried again every few seconds", erased.Output, StringComparison.Ordinal);
            await Wait.Until(
                async () =>
                    (await again.Post("/api/orders/erase", $$"""{"customer":"{{Customer}}"}"""))
                        .Json.GetProperty("filesCleaned")
                        .GetBoolean(),
                "the files to be cleaned"
            );
        }

        Assert.Empty(FilesWith(Customer));
        Assert.Empty(FilesWith(Address));
        Assert.Empty(FilesWith(Note));
    }

    [Fact]
    public async Task NoOtherUserCanReadTheDataAndAFolderThatWasOpenIsClosed()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no modes.");
            return;
        }

        Directory.CreateDirectory(_place.Data);
        var copy = Directory.CreateDirectory(_place.Data + ".v1.bak-20261130-100000").FullName;
        const UnixFileMode Open =
            UnixFileMode.UserRead
            | UnixFileMode.UserWrite
            | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead
            | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead
            | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(_place.Data, Open);
        File.SetUnixFileMode(copy, Open);

        await using var silo = await SiloProcess.StartReady(_place);

        const UnixFileMode Closed = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.Equal(Closed, File.GetUnixFileMode(_place.Data));
        Assert.Equal(Closed, File.GetUnixFileMode(copy));
        foreach (var path in Directory.GetFileSystemEntries(_place.Data, "*", SearchOption.AllDirectories))
        {
            Assert.Equal((path, (UnixFileMode)0), (path, File.GetUnixFileMode(path) & ~Closed));
        }

        Assert.Contains(silo.Output, line =>
            line.Contains(
                $"The folder {_place.Data} was open to other users of this machine (mode 755); it is closed to them now (700)",
                StringComparison.Ordinal
            )
        );
    }

    [Theory]
    [InlineData("orders", true)]
    [InlineData("orders", false)]
    [InlineData("ordersubscribers", true)]
    [InlineData("ordersubscribers", false)]
    public async Task ATableThatWasLostStopsTheStartUntilAllThatBelongTogetherAreMovedAway(string table, bool isEmptied)
    {
        await using (var first = await SiloProcess.StartReady(_place))
        {
            using var door = new OrderDoor(_place);
            await door.Placed("ann");
            await door.Settled();
            await Terminated(first);
        }

        Remove(table);
        if (isEmptied)
        {
            await File.WriteAllBytesAsync(Path.Combine(Tables, table + ".db"), [], Cancel);
        }

        await using (var refused = SiloProcess.Start(_place))
        {
            Assert.Equal(ExitCodes.Failed, await refused.Ended());
            var sentence = Assert.Single(refused.Errors);
            Assert.Contains($"The table \"{table}\" ", sentence, StringComparison.Ordinal);
            Assert.Contains(isEmptied ? " is empty" : " is missing", sentence, StringComparison.Ordinal);
            Assert.Contains("move all of them away together to begin anew", sentence, StringComparison.Ordinal);
            Assert.All(["orders.db", "ordersubscribers.db", "ordermail.db", "orderwebhooks.db"], file =>
                Assert.Contains(file, sentence, StringComparison.Ordinal)
            );
        }

        foreach (var one in new[] { "orders", "ordersubscribers", "ordermail", "orderwebhooks" })
        {
            Remove(one);
        }

        await using var anew = await SiloProcess.StartReady(_place);
        using var after = new OrderDoor(_place);
        await after.Placed("ben");
        Assert.All((await after.Settled()).EnumerateArray(), subscriber => Assert.Equal(0, Number(subscriber, "lag")));
    }

    [Fact]
    public async Task WithOnlyTheOrdersLostItsSubscribersAreHaltedAndTheBooksAreInDoubt()
    {
        await using (var first = await SiloProcess.StartReady(_place))
        {
            using var door = new OrderDoor(_place);
            foreach (var number in Enumerable.Range(0, 10))
            {
                await door.Placed($"customer-{number}");
            }

            await door.Settled();
            await Terminated(first);
        }

        Remove("orders");
        await using var silo = await SiloProcess.StartReady(_place, "--Storage:BeginAnew", "orders");
        using var again = new OrderDoor(_place);
        foreach (var number in Enumerable.Range(0, 20))
        {
            await again.Placed($"customer-{number}");
        }

        var subscribers = (await again.Get("/api/orders/subscribers")).Json.GetProperty("subscribers");
        Assert.All(subscribers.EnumerateArray(), subscriber =>
            Assert.Contains(
                "its cursor is of another feed: table orders was lost or exchanged",
                subscriber.GetProperty("partitions").ToString(),
                StringComparison.Ordinal
            )
        );
        var accounts = (await again.Get("/api/ledger"))
            .Json.GetProperty("accounts")
            .EnumerateArray()
            .Where(account => account.GetProperty("doubt").ValueKind != System.Text.Json.JsonValueKind.Null)
            .ToList();
        Assert.NotEmpty(accounts);
        Assert.All(accounts, account => Assert.False(account.GetProperty("balances").GetBoolean()));
        var health = await again.Get("/health");
        Assert.Equal(200, health.Status);
        Assert.StartsWith("Degraded\n", health.Body, StringComparison.Ordinal);
        Assert.Contains("orders: Degraded, subscriber ", health.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(_place.Folder, health.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BlobsThatCannotBeWrittenShowInHealthAndInTheClustersStatusAndLeaveTheSiloReady()
    {
        await using var silo = await SiloProcess.StartReady(_place);
        using var door = new OrderDoor(_place);
        Assert.StartsWith("Healthy\n", (await door.Get("/health")).Body, StringComparison.Ordinal);
        foreach (var writing in Directory.GetDirectories(Path.Combine(_place.Data, "blobs", "writing")))
        {
            Directory.Delete(writing, recursive: true);
        }

        await Wait.Until(async () => (await door.Get("/health")).Status == 503, "health to say that blobs cannot be written");

        var health = await door.Get("/health");
        Assert.Contains("writes: Unhealthy, the blobs cannot be written: its folder is gone", health.Body, StringComparison.Ordinal);
        Assert.DoesNotContain(_place.Folder, health.Body, StringComparison.Ordinal);
        Assert.Equal(200, (await door.Get("/health/ready")).Status);
        Assert.Equal(200, (await door.Get("/health/live")).Status);
        var line = Assert.Single((await door.Get("/api/cluster")).Json.GetProperty("health").EnumerateArray(), check =>
            Text(check, "check") == "writes"
        );
        Assert.Equal("Unhealthy", Text(line, "status"));
        Assert.Matches("(?m)^storage_writes_failing[^ ]* 1", (await door.Get("/metrics")).Body);
    }

    private async Task Terminated(SiloProcess silo)
    {
        silo.Terminate();
        Assert.Equal(ExitCodes.Stopped, await silo.Ended());
    }

    private void Remove(string table)
    {
        foreach (var file in Directory.GetFiles(Tables, table + ".db*"))
        {
            File.Delete(file);
        }
    }

    private List<string> FilesWith(string text)
    {
        var sought = Encoding.UTF8.GetBytes(text);
        return
        [
            .. Directory
                .GetFiles(_place.Data, "*", SearchOption.AllDirectories)
                .Where(file => !file.EndsWith(".lock", StringComparison.Ordinal))
                .Where(file =>
                {
                    using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                    var bytes = new byte[stream.Length];
                    stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                    return bytes.AsSpan().IndexOf(sought) >= 0;
                }),
        ];
    }
}
