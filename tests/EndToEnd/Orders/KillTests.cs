using System.Globalization;
using Client.Orders;
using Grains.Interfaces.Orders;
using Grains.Orders.Audit;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// What an acknowledgement is worth when the silo is killed with <c>kill -9</c> under load, again and again: every acknowledged change
/// reaches every subscriber, none is handled that was not
/// committed, and the audit holds all of them. What was acknowledged is written down by the test, what subscribers were given by a file
/// outside of the store.
/// A longer campaign: set <c>ORDER_KILLS</c> to the number of rounds (3 without it, at most 1,000).
/// </summary>
[Trait(Campaign.Kind, Campaign.Name)]
public sealed class KillTests : IAsyncDisposable
{
    private const int Partitions = 4;
    private const int Callers = 6;

    private static readonly string[] Steps = ["pay", "ship", "complete"];

    private readonly SiloPlace _place = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly OrderLoad _load = new();
    private SiloProcess? _silo;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Seen => Path.Combine(_place.Folder, "seen");

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        _http.Dispose();
        _load.Dispose();
        _place.Dispose();
    }

    [Fact]
    public async Task WhatWasAcknowledgedReachesEverySubscriberOverKillsUnderLoad()
    {
        var rounds = Campaign.Rounds("ORDER_KILLS", most: 1000);
        _http.BaseAddress = new($"http://{_place.Http}");
        await Run();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(() => Call(caller, stop.Token), Cancel)).ToList();
        for (var round = 1; round <= rounds; round++)
        {
            // Under load, and at another moment each time: after so many more acknowledgements.
            await Acknowledged(20 + (round * 7 % 40));
            await _silo!.Kill9();
            await _silo.DisposeAsync();
            await Run();
        }

        await Acknowledged(Callers * 5);
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        var (orders, changes) = await AllIsThere();
        Campaign.Report(
            "order-kills",
            "Orders: kill -9 under load",
            $"A silo that took orders from {Callers} callers was killed {rounds} times; three subscribers beside the mail were "
                + $"given each change.",
            ("orders acknowledged", orders),
            ("changes committed", changes),
            ("acknowledged and missing", 0),
            ("changes that a subscriber was not given", 0),
            ("entries of the audit", changes)
        );
    }

    /// <returns>Orders that were acknowledged, and changes that were committed.</returns>
    private async Task<(long Orders, long Changes)> AllIsThere()
    {
        await using var client = await SilosClient.Connect(Cancel, _place.Gateway);
        var desk = new OrderDesk(client.Grains);
        await NotifiedPlace.Settled(desk);

        // The feed, from its rows: what was committed.
        var committed = new Dictionary<string, long>(StringComparer.Ordinal);
        var keys = new HashSet<(string, long)>();
        for (var partition = 0; partition < Partitions; partition++)
        {
            for (var from = 1L; ; )
            {
                var read = await desk.Feed(partition).Read(from, IOrderFeedGrain.MaxTake, Cancel);
                foreach (var change in read.Changes)
                {
                    Assert.Equal(committed.GetValueOrDefault(change.OrderId.Value) + 1, change.Version);
                    committed[change.OrderId.Value] = change.Version;
                    keys.Add((change.OrderId.Value, change.Version));
                }

                if (read.Changes.IsEmpty)
                {
                    break;
                }

                from = read.Next;
            }
        }

        foreach (var (order, version) in _load.Acknowledged)
        {
            Assert.True(
                committed.GetValueOrDefault(order) >= version,
                $"Version {version} of {order} was acknowledged, and version {committed.GetValueOrDefault(order)} is the last in the feed."
            );
        }

        foreach (var name in new[] { "witness", "plain", AuditSubscriber.Name })
        {
            SawAll(name, keys);
        }

        var states = await desk.Subscribers.List(Cancel);
        Assert.All(states, state => Assert.Equal((0, 0, state.In), (state.Lag, state.Waiting, state.Done + state.Dead.Values.Sum())));
        // Mail is given them too, and has nobody to tell.
        Assert.Equal(3 * keys.Count, states.Where(state => state.Channel is null).Sum(state => state.In));
        var report = await AuditCheck.Run(desk, against: [], all: true, Cancel);
        Assert.True(
            report.Report.Holds && report.OrderFindings.IsEmpty,
            string.Join(Environment.NewLine, report.Report.Findings.Select(finding => finding.What).Concat(report.OrderFindings))
        );
        Assert.Equal(keys.Count, report.Report.Entries);
        return (_load.Acknowledged.Count, keys.Count);
    }

    /// <summary>
    /// Given all, in order for each order, and nothing else; a change is given again only with those after it, from a cursor.
    /// </summary>
    private void SawAll(string name, HashSet<(string Order, long Version)> committed)
    {
        var seen = new HashSet<(string Order, long Version)>();
        var last = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var path in Directory.GetFiles(Seen, name + ".*"))
        {
            foreach (var line in ReadLines(path))
            {
                if (line.Split(' ') is not [var letter, var order, var number, _, _, _])
                {
                    continue; // The process was killed while it wrote the line: it was not sent to be committed.
                }

                var version = long.Parse(number, CultureInfo.InvariantCulture);
                if (letter == "g")
                {
                    Assert.True(
                        version <= last.GetValueOrDefault(order) + 1,
                        $"{name} was given version {version} of {order} after version {last.GetValueOrDefault(order)}."
                    );
                    last[order] = Math.Max(version, last.GetValueOrDefault(order));
                    seen.Add((order, version));
                }
            }
        }

        Assert.Empty(seen.Except(committed));
        Assert.Empty(committed.Except(seen));
    }

    private static IEnumerable<string> ReadLines(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }

    private async Task Run()
    {
        _silo = SiloProcess.StartOther("Witness.dll", _place, [("WITNESS_FOLDER", Seen)], "--Orders:Partitions", $"{Partitions}");
        await Wait.For(_silo.Ready, "the silo to be ready", () => _silo.AllSaid);
    }

    private Task Acknowledged(int more) => _load.MoreAcknowledged(more, () => _silo!.AllSaid);

    /// <summary>
    /// Places orders and moves them on, each step under a key of its own and again under the same key until it is answered.
    /// </summary>
    private async Task Call(int caller, CancellationToken stop)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var customer = (number % 10) switch
            {
                3 => "fails",
                < 3 => "again",
                _ => $"customer-{caller}",
            };
            var order = await _load.Ask(
                _http,
                "/api/orders",
                new
                {
                    customer,
                    currency = "EUR",
                    lines = new[]
                    {
                        new
                        {
                            sku = "tea",
                            quantity = 1 + (number % 3),
                            price = 450,
                        },
                    },
                    notes = "by the door",
                },
                stop
            );
            foreach (var step in Steps.Take(number % 4))
            {
                order = order is null ? null : await _load.Ask(_http, $"/api/orders/{order}/{step}", null, stop);
            }
        }
    }
}
