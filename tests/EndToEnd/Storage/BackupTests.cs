using System.Collections.Immutable;
using EndToEnd.Logs;
using EndToEnd.Orders;
using Xunit;

namespace EndToEnd.Storage;

/// <summary>A backup that is taken while a silo takes in orders and log records, and a cluster that goes on from it.</summary>
public sealed class BackupTests : IDisposable
{
    private const int Shards = 2;
    private const int RecordsPerRequest = 5;

    private static readonly string[] Settings = ["--Logs:Shards", $"{Shards}", "--Limits:PerKey", "100000", "--Limits:InAll", "100000"];

    private readonly SiloPlace _place = new();
    private readonly SiloPlace _elsewhere = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Backup => Path.Combine(_elsewhere.Folder, "backup");

    public void Dispose()
    {
        _place.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public async Task WhatWasAcknowledgedBeforeABackupUnderLoadIsThereAfterItIsRestored()
    {
        using var sender = new LogSender(RecordsPerRequest, _place.Http);
        using var orders = new OrderLoad();
        using var http = new HttpClient { BaseAddress = new($"http://{_place.Http}") };
        using var enough = new CancellationTokenSource();
        ImmutableHashSet<string> records;
        ImmutableDictionary<string, long> versions;
        await using (var silo = await SiloProcess.StartReady(_place, Settings))
        {
            var sending = sender.Run(2, enough.Token, Cancel);
            var ordering = Enumerable.Range(0, 3).Select(customer => Order(orders, http, customer, enough.Token)).ToList();
            await Wait.For(sender.WhenAcknowledged(20 * RecordsPerRequest), "log records to be acknowledged", () => silo.AllSaid);
            await orders.MoreAcknowledged(40, () => silo.AllSaid);

            records = [.. sender.Acknowledged];
            versions = orders.Acknowledged.ToImmutableDictionary();
            await using (var console = await ConsoleProcess.Reach("cluster", "backup", Backup, "--json", "--gateway", $"{_place.Gateway}"))
            {
                Assert.True(await console.Exit == ExitCode.Done, console.Said + silo.AllSaid);
                Assert.Equal(Backup, console.Last.GetProperty("folder").GetString());
            }

            // What comes after the backup is not in it; nor is the end of this silo.
            await orders.MoreAcknowledged(20, () => silo.AllSaid);
            await enough.CancelAsync();
            await Wait.For(Task.WhenAll([sending, .. ordering]), "the load to end", () => silo.AllSaid);
            await silo.Kill9();
        }

        Assert.True(versions.Values.Sum() >= 40);
        await using (var restore = SiloProcess.StartWith(_elsewhere, "--restore", Backup))
        {
            Assert.True(await restore.Ended() == 0, restore.AllSaid);
            Assert.StartsWith("Restored backup ", Assert.Single(restore.Output), StringComparison.Ordinal);
        }

        await using (var again = SiloProcess.StartWith(_elsewhere, "--restore", Backup))
        {
            Assert.Equal(1, await again.Ended());
            Assert.Contains("is not empty", again.AllSaid, StringComparison.Ordinal);
        }

        await using var restored = await SiloProcess.StartReady(_elsewhere, Settings);
        await HasOrders(versions);
        var stored = await StoredRecords.Of(_elsewhere, Shards, Cancel);
        var bodies = stored.Records.Select(record => record.Body).ToList();
        Assert.Equal(bodies.Count, bodies.ToHashSet().Count);
        Assert.Empty(records.Except(bodies));
        Assert.Empty(bodies.Except(sender.Sent));
        await Succeeds("ledger");
        await Succeeds("orders", "audit", "verify", "--all");
        Assert.True(await restored.Stop() == 0, restored.AllSaid);
    }

    private static async Task Order(OrderLoad load, HttpClient http, int customer, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var order = new
            {
                customer = $"customer-{customer}",
                currency = "EUR",
                lines = new[]
                {
                    new
                    {
                        sku = "tea",
                        quantity = 1,
                        price = 450,
                    },
                },
            };
            if (await load.Ask(http, "/api/orders", order, enough) is { } id)
            {
                await load.Ask(http, $"/api/orders/{id}/pay", body: null, enough);
            }
        }
    }

    private async Task HasOrders(ImmutableDictionary<string, long> versions)
    {
        using var http = new HttpClient { BaseAddress = new($"http://{_elsewhere.Http}") };
        foreach (var (id, version) in versions)
        {
            using var order = System.Text.Json.JsonDocument.Parse(await http.GetStringAsync($"/api/orders/{id}", Cancel));
            Assert.True(order.RootElement.GetProperty("version").GetInt64() >= version, $"{id}: {order.RootElement}");
        }
    }

    private async Task Succeeds(params string[] verb)
    {
        await using var console = await ConsoleProcess.Reach([.. verb, "--gateway", $"{_elsewhere.Gateway}"]);
        Assert.True(await console.Exit == ExitCode.Done, console.Said);
    }
}
