using System.Text.Json;
using Doubles.Orders;
using Grains.Interfaces.Orders;
using Xunit;

namespace EndToEnd.Orders;

/// <summary>
/// What an acknowledgement is worth to whoever is to hear of it, when the silo is killed with <c>kill -9</c> under load, again and again,
/// at moments of chance and between an effect and its mark, while the
/// outside world misbehaves too. The outside world's own ledger says what reached it. A longer campaign: set <c>NOTIFY_KILLS</c> to the
/// number of rounds (3 without it, at most 1,000).
/// </summary>
[Trait(Campaign.Kind, Campaign.Name)]
public sealed class NotifyKillTests : IAsyncLifetime
{
    private const int Partitions = 2;
    private const int Callers = 8;

    /// <summary>Of a process that was killed with signal 9.</summary>
    private const int Killed = 128 + 9;

    /// <summary>Many, and soon: what a fault puts off is through before the test is.</summary>
    private const string Retries = "20ms 50ms 100ms 200ms 300ms 500ms 500ms 500ms 1s 1s 1s 1s 1s 1s 1s 1s";

    private static readonly string[] Steps = ["pay", "ship", "complete"];

    /// <summary>After the effect and before its mark; before the effect; after the commit and before anybody heard of it.</summary>
    private static readonly string[] Points = ["order.deliver/stop", "order.deliver/start", "order.deliver/stop", "order.commit/stop"];

    private readonly OrderLoad _load = new();
    private NotifiedPlace _notified = null!;
    private SiloProcess? _silo;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _notified = await NotifiedPlace.Make();

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }

        await _notified.DisposeAsync();
        _load.Dispose();
    }

    [Fact]
    public async Task WhatWasAcknowledgedReachesEveryDestinationOverKillsBetweenEffectAndMark()
    {
        var rounds = Campaign.Rounds("NOTIFY_KILLS", most: 1000);
        await Run(killedAt: null);
        var webhooks = new Dictionary<string, (string Id, string[] Events)>(StringComparer.Ordinal);
        foreach (
            var (path, events) in new (string, string[])[] { ("/all", []), ("/some", ["order.paid", "order.shipped"]), ("/flaky", []) }
        )
        {
            webhooks[path] = (await _notified.AddWebhook(path, events), events);
        }

        await Misbehave();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(() => Call(caller, stop.Token), Cancel)).ToList();
        for (var round = 1; round <= rounds; round++)
        {
            if (round % 2 == 1)
            {
                // Under load, and at another moment each time: after so many more acknowledgements.
                await Acknowledged(10 + (round * 7 % 20));
                await _silo!.Kill9();
            }

            await _silo!.DisposeAsync();
            await Run(round % 2 == 1 && round < rounds ? $"Orders/{Points[round / 2 % Points.Length]}/{5 + (round * 11 % 50)}" : null);
        }

        await Acknowledged(Callers * 5);
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        await AllArrived(webhooks, rounds);
    }

    /// <summary>
    /// Some calls fail, some answers are lost, some mails are put off or cut where nobody can know: a few of each, so that circuits stay
    /// closed.
    /// </summary>
    private async Task Misbehave()
    {
        await _notified.Outside.Behave(
            "/flaky",
            new EndpointAnswer { Status = 503, OneIn = 23 },
            new EndpointAnswer { Manner = EndpointManner.Cuts, OneIn = 29 },
            new EndpointAnswer
            {
                Status = 429,
                RetryAfter = "0",
                OneIn = 31,
            }
        );
        await _notified.Outside.Smtp(
            new SmtpAnswer
            {
                At = ".",
                Cuts = true,
                OneIn = 29,
            },
            new SmtpAnswer
            {
                At = "RCPT",
                Reply = "451 4.3.0 later",
                OneIn = 23,
            },
            new SmtpAnswer
            {
                At = "MAIL",
                Reply = "421 4.3.2 closing",
                Cuts = true,
                OneIn = 37,
            }
        );
    }

    private async Task AllArrived(Dictionary<string, (string Id, string[] Events)> webhooks, int rounds)
    {
        await using var client = await SilosClient.Connect(Cancel, _notified.Place.Gateway);
        var desk = new OrderDesk(client.Grains);
        var states = await NotifiedPlace.Settled(desk);
        var committed = await NotifiedPlace.Committed(desk);
        var versions = committed
            .GroupBy(change => change.OrderId.Value, StringComparer.Ordinal)
            .ToDictionary(order => order.Key, order => order.Max(change => change.Version), StringComparer.Ordinal);
        foreach (var (order, version) in _load.Acknowledged)
        {
            Assert.True(
                versions.GetValueOrDefault(order) >= version,
                $"Version {version} of {order} was acknowledged, and version {versions.GetValueOrDefault(order)} is the last in the feed."
            );
        }

        var effects = await _notified.Outside.Effects(Cancel);
        Assert.All(effects, effect => Assert.Contains(effect.Signature, new[] { "Good", "-" }));
        Assert.DoesNotContain(effects, effect => effect.Channel == OutsideEffect.Webhook && effect.Signature == "-");
        var repeats = 0;
        foreach (var (path, (_, events)) in webhooks)
        {
            var wanted = committed
                .Where(change => events is [] || events.Contains(change.Type))
                .Select(NotifiedPlace.WebhookId)
                .ToHashSet(StringComparer.Ordinal);
            repeats += Arrived(path, wanted, [.. effects.Where(effect => effect.To == path)]);
        }

        var mailed = committed.Where(change => change.Order.Email is not null).ToList();
        var mailRepeats = Arrived(
            "mail",
            mailed.Select(NotifiedPlace.MessageId).ToHashSet(StringComparer.Ordinal),
            [.. effects.Where(effect => effect.Channel == OutsideEffect.Mail)]
        );

        // What the books say is what came of it: nothing was given up, and what was repeated counts once.
        var hooked = webhooks.Values.Sum(webhook =>
            committed.Count(change => webhook.Events is [] || webhook.Events.Contains(change.Type))
        );
        Assert.All(states, state => Assert.Equal(0, state.Dead.Values.Sum() + state.Missed + state.Discarded));
        await Books("notifications by mail", entered: mailed.Count, done: mailed.Count);
        await Books("notifications by webhooks", entered: hooked, done: hooked);
        foreach (
            var order in committed.GroupBy(change => change.OrderId).OrderBy(order => order.Key.Value, StringComparer.Ordinal).Take(200)
        )
        {
            await Told(desk, order.Key, [.. order], webhooks);
        }

        Campaign.Report(
            "notify-kills",
            "Orders: killed between an effect and its mark",
            $"A silo that sent mails and webhooks was killed {rounds} times, while the outside world refused, cut and put off "
                + $"some of them.",
            ("orders acknowledged", _load.Acknowledged.Count),
            ("changes committed", committed.Count),
            ("mails and webhooks that came", effects.Count),
            ("missing", 0),
            ("webhooks taken again under the same id", repeats),
            ("mails taken again under the same id", mailRepeats)
        );
    }

    /// <summary>Every one that was meant to, and none else; how many were taken again.</summary>
    private static int Arrived(string where, HashSet<string> wanted, List<OutsideEffect> effects)
    {
        var taken = effects
            .Where(effect => effect.IsTaken || effect.Answer == "unknown")
            .GroupBy(effect => effect.Id, StringComparer.Ordinal)
            .ToDictionary(id => id.Key, id => id.Count(), StringComparer.Ordinal);
        Assert.True(
            wanted.All(taken.ContainsKey),
            $"{where} did not get {string.Join(", ", wanted.Where(id => !taken.ContainsKey(id)).Take(10))}."
        );
        Assert.True(
            effects.All(effect => wanted.Contains(effect.Id)),
            $"{where} got what was not committed, or not for it: "
                + $"{string.Join(", ", effects.Select(effect => effect.Id).Where(id => !wanted.Contains(id)).Take(10))}."
        );
        return taken.Values.Sum() - taken.Count;
    }

    private async Task Books(string account, long entered, long done)
    {
        await using var ledger = await ConsoleProcess.Reach("ledger", "--json", "--gateway", $"{_notified.Place.Gateway}");
        Assert.Equal(0, await ledger.Exit);
        var line = ledger.Output.Select(one => JsonElement.Parse(one)).Single(one => one.GetProperty("account").GetString() == account);
        Assert.Equal(
            (true, entered, done, 0),
            (
                line.GetProperty("balances").GetBoolean(),
                line.GetProperty("in").GetInt64(),
                line.GetProperty("done").GetInt64(),
                line.GetProperty("waiting").GetInt64()
            )
        );
    }

    private static async Task Told(
        OrderDesk desk,
        OrderId order,
        List<OrderChange> changes,
        Dictionary<string, (string Id, string[] Events)> webhooks
    )
    {
        var told = await desk.Subscribers.Deliveries(order, Cancel);
        Assert.Empty(told.Behind);
        var expected = changes.SelectMany(change =>
            webhooks
                .Values.Where(webhook => webhook.Events is [] || webhook.Events.Contains(change.Type))
                .Select(webhook => ($"webhook-{webhook.Id}", change.Version, DeliveryStatus.Delivered))
                .Concat(change.Order.Email is null ? [] : [("mail", change.Version, DeliveryStatus.Delivered)])
        );
        Assert.Equal(
            expected.OrderBy(one => one.Version).ThenBy(one => one.Item1, StringComparer.Ordinal),
            told.All.Select(delivery => (delivery.Subscriber, delivery.Version, delivery.Status))
        );
    }

    /// <param name="killedAt">The silo kills itself there, and is gone when this ends: maybe before it was ready.</param>
    private async Task Run(string? killedAt)
    {
        string[] settings = [.. _notified.Settings, .. NotifiedPlace.Retries(Retries), "--Orders:Partitions", $"{Partitions}"];
        _silo = killedAt is null
            ? SiloProcess.Start(_notified.Place, settings)
            : SiloProcess.StartKilledAt(_notified.Place, killedAt, settings);
        if (killedAt is null)
        {
            await Wait.For(_silo.Ready, "the silo to be ready", () => _silo.AllSaid);
        }
        else
        {
            Assert.Equal(Killed, await _silo.Ended());
        }
    }

    private Task Acknowledged(int more) => _load.MoreAcknowledged(more, () => _silo!.AllSaid);

    /// <summary>
    /// Places orders and moves them on, each step under a key of its own and again under the same key until it is answered.
    /// </summary>
    private async Task Call(int caller, CancellationToken stop)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var email = number % 10 == 7 ? null : $"customer-{caller}@example.org";
            var order = await _load.Ask(
                _notified.Http,
                "/api/orders",
                new
                {
                    customer = $"customer-{caller}",
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
                    email,
                    language = number % 2 == 0 ? "de" : null,
                },
                stop
            );
            foreach (var step in Steps.Take(number % 4))
            {
                order = order is null ? null : await _load.Ask(_notified.Http, $"/api/orders/{order}/{step}", null, stop);
            }
        }
    }
}
