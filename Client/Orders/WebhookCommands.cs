using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Orders;
using Grains.Interfaces.Values;
using Grains.Orders.Deliveries.Webhooks;

namespace Client.Orders;

/// <summary><c>orders webhooks add|list|show|edit|pause|resume|rotate|enable|remove|test</c></summary>
internal static class WebhookCommands
{
    public static Command Add(Verbs verbs)
    {
        var url = new Argument<string>("URL")
        {
            Description = "Where changes are sent, such as https://example.org/hooks.",
            Validators = { Checks.IsWebUrl },
        };
        var events = new Option<string?>("--events")
        {
            Description = "Only these events, such as placed,paid or webhook.disabled; every change of an order without it.",
            HelpName = "E,E",
        };
        var secret = new Option<string?>("--secret")
        {
            Description = "What messages are signed with: whsec_ and 24 to 64 bytes in base64. Made here without it.",
            HelpName = "S",
            Validators = { IsSecret },
        };
        return verbs.Act(
            new("add", "Tell an endpoint of orders' changes. The secret is shown once.") { url, events, secret },
            async (session, parsed, cancel) =>
            {
                var names = (parsed.GetValue(events) ?? "").Split(
                    ',',
                    StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
                );
                var added = await (await session.Cluster(cancel)).Orders.Webhooks.Add(
                    new(parsed.GetRequiredValue(url), [.. names], parsed.GetValue(secret)),
                    cancel
                );
                if (added.Endpoint is not { } endpoint)
                {
                    throw new ConsoleException(added.Error!, added.Refusal == WebhookRefusal.Full ? ExitCode.Failed : ExitCode.WrongUsage);
                }

                if (session.Json)
                {
                    session.Terminal.Json(WebhookForm.Of(endpoint) with { Secret = added.Secret });
                    return ExitCode.Done;
                }

                if (session.Quiet)
                {
                    session.Terminal.Line($"{endpoint.Id} {added.Secret}");
                    return ExitCode.Done;
                }

                new Facts()
                    .Add("id", endpoint.Id)
                    .Add("url", endpoint.Url)
                    .Add("events", Events(endpoint))
                    .Add("secret", added.Secret)
                    .WriteTo(session.Terminal);
                session.Terminal.Note("The secret is not shown again: keep it where the endpoint checks signatures.");
                return ExitCode.Done;
            }
        );
    }

    public static Command List(Verbs verbs)
    {
        var limit = new Limit("endpoints");
        return verbs.Read(new("list", "The endpoints.") { limit.Option }, async (session, parsed, cancel) =>
        {
            var all = await (await session.Cluster(cancel)).Orders.Webhooks.List(cancel);
            var (endpoints, end) = (all.Take(limit.Of(parsed)), ListEnd.Of(all.Length, limit.Of(parsed)));
            if (session.Json)
            {
                foreach (var endpoint in endpoints)
                {
                    session.Terminal.Json(WebhookForm.Of(endpoint));
                }

                session.End(end, "endpoints");
                return ExitCode.Done;
            }

            if (all.IsEmpty)
            {
                session.TellNothing("There are no webhooks.");
                return ExitCode.Done;
            }

            var listing = new Listing()
                .Column("id", isId: true)
                .Column("url", wrap: true)
                .Column("events", wrap: true)
                .Column("state")
                .Column("failing since")
                .Column("circuit");
            foreach (var endpoint in endpoints)
            {
                listing.Row(endpoint.Id, endpoint.Url, Events(endpoint), State(endpoint), Since(endpoint), Circuit(endpoint));
            }

            listing.WriteTo(session.Terminal);
            session.End(end, "endpoints");
            return ExitCode.Done;
        });
    }

    public static Command Show(Verbs verbs)
    {
        var id = WebhookArgument.Create();
        return verbs.Read(
            new("show", "One endpoint: how it is, what waits for it, what happened to it.") { id },
            async (session, parsed, cancel) =>
            {
                var (desk, name) = await Find(session, parsed.GetRequiredValue(id), cancel);
                var endpoint = await desk.Webhook(name).Show(cancel) ?? throw WebhookArgument.None(name);
                var deliveries = WebhookDeliveriesForm.Of(await desk.Subscriber(WebhookForm.SubscriberOf(name), cancel));
                if (session.Json)
                {
                    session.Terminal.Json(WebhookForm.Of(endpoint) with { Deliveries = deliveries });
                    return ExitCode.Done;
                }

                var state = State(endpoint);
                var facts = new Facts()
                    .Add("id", endpoint.Id)
                    .Add("url", endpoint.Url)
                    .Add("events", Events(endpoint))
                    .Add("state", state.Text, state.Style)
                    .Add("why", endpoint.DisabledBecause)
                    .Add("failing since", Since(endpoint))
                    .Add("failures", Counts.Format(endpoint.Failures))
                    .Add("paused since", endpoint.PausedSince is { } paused ? OrderText.At(paused) : null, "yellow")
                    .Add("circuit", endpoint.Circuit, Circuit(endpoint).Style)
                    .Add(
                        "rate",
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{endpoint.Rate:0.##} a second{(endpoint.PerSecond is { } set ? $" of {set:0.##} set" : "")}"
                        )
                    )
                    .Add("grace", $"{Durations.Format(endpoint.Grace)} after a rotation")
                    .Add("untold", endpoint.Untold > 0 ? $"{Counts.Of(endpoint.Untold, "event", "events")} about it" : null)
                    .Add("dropped", endpoint.Dropped > 0 ? $"{Counts.Of(endpoint.Dropped, "event", "events")} about it" : null, "red")
                    .Add(
                        "in flight",
                        $"{Counts.Format(endpoint.InFlight)} of {Counts.Format(endpoint.Window)}"
                            + (endpoint.InLine > 0 ? $", {Counts.Format(endpoint.InLine)} in line" : "")
                    )
                    .Add("old secret", endpoint.OldSecretUntil is { } until ? $"signs until {OrderText.At(until)}" : null)
                    .Add("lag", Counts.Format(deliveries.Lag))
                    .Add("waiting", Counts.Format(deliveries.Waiting))
                    .Add("dead", Counts.Format(deliveries.Dead), deliveries.Dead > 0 ? "red" : null);
                foreach (var (reason, count) in deliveries.DeadByReason)
                {
                    facts.Add($"dead: {reason}", Counts.Format(count), "red");
                }

                foreach (var note in endpoint.History)
                {
                    facts.Add(OrderText.At(note.At), note.Text);
                }

                facts.WriteTo(session.Terminal);
                return ExitCode.Done;
            }
        );
    }

    public static Command Edit(Verbs verbs)
    {
        var id = WebhookArgument.Create();
        var url = new Option<string?>("--url") { Description = "Where changes are sent from now on.", HelpName = "URL" };
        var events = new Option<string?>("--events")
        {
            Description = "Only these events, such as placed,paid or webhook.disabled; \"all\" for every change of an order.",
            HelpName = "E,E",
        };
        var rate = new Option<string?>("--rate")
        {
            Description = "Requests per second at most; \"default\" for the silo's setting.",
            HelpName = "N",
        };
        var grace = new Option<string?>("--grace")
        {
            Description = "How long the old secret signs, too, after a rotation: 0, 30m, 48h.",
            HelpName = "TIME",
        };
        return verbs.Act(
            new("edit", "Change an endpoint: its URL, events, rate, and the grace of a rotation. The rest stays.")
            {
                id,
                url,
                events,
                rate,
                grace,
            },
            async (session, parsed, cancel) =>
            {
                var change = new EditWebhook(
                    parsed.GetValue(url),
                    Names(parsed.GetValue(events)),
                    Rate(parsed.GetValue(rate)),
                    Grace(parsed.GetValue(grace))
                );
                if (change.IsEmpty)
                {
                    throw new ConsoleException("Nothing is to change: give --url, --events, --rate or --grace.", ExitCode.WrongUsage);
                }

                if (change.OutOfBounds() is var (_, fault))
                {
                    throw new ConsoleException(fault, ExitCode.WrongUsage);
                }

                var (desk, name) = await Find(session, parsed.GetRequiredValue(id), cancel);
                var edited = await desk.Webhooks.Edit(name, change, cancel);
                if (edited.Error is { } error)
                {
                    throw new ConsoleException(error, ExitCode.WrongUsage);
                }

                return Tell(session, edited.Endpoint ?? throw WebhookArgument.None(name), "is edited");
            }
        );
    }

    public static Command Pause(Verbs verbs)
    {
        var id = WebhookArgument.Create();
        return verbs.Act(
            new("pause", "Send an endpoint nothing until it is resumed: what comes waits, and is not lost.") { id },
            async (session, parsed, cancel) =>
            {
                var (desk, name) = await Find(session, parsed.GetRequiredValue(id), cancel);
                return Tell(
                    session,
                    await desk.Webhook(name).Pause(cancel) ?? throw WebhookArgument.None(name),
                    "is paused: what comes for it waits"
                );
            }
        );
    }

    public static Command Resume(Verbs verbs)
    {
        var id = WebhookArgument.Create();
        return verbs.Act(
            new("resume", "Send a paused endpoint what has waited, slowly at first.") { id },
            async (session, parsed, cancel) =>
            {
                var (desk, name) = await Find(session, parsed.GetRequiredValue(id), cancel);
                return Tell(session, await desk.Webhook(name).Resume(cancel) ?? throw WebhookArgument.None(name), "is resumed");
            }
        );
    }

    public static Command Rotate(Verbs verbs)
    {
        var id = WebhookArgument.Create();
        var secret = new Option<string?>("--secret")
        {
            Description = "The new secret: whsec_ and 24 to 64 bytes in base64. Made here without it.",
            HelpName = "S",
            Validators = { IsSecret },
        };
        return verbs.Act(
            new("rotate", "Sign with a new secret, and for the grace with the old one, too. The new one is shown once.") { id, secret },
            async (session, parsed, cancel) =>
            {
                var (desk, name) = await Find(session, parsed.GetRequiredValue(id), cancel);
                var rotated = await desk.Webhook(name).Rotate(parsed.GetValue(secret), cancel) ?? throw WebhookArgument.None(name);
                if (rotated.Error is { } error)
                {
                    throw new ConsoleException(error, ExitCode.WrongUsage);
                }

                if (session.Json)
                {
                    session.Terminal.Json(new WebhookRotatedForm(name, rotated.Secret!, rotated.OldSecretUntil));
                    return ExitCode.Done;
                }

                if (session.Quiet)
                {
                    session.Terminal.Line(rotated.Secret!);
                    return ExitCode.Done;
                }

                new Facts()
                    .Add("id", name)
                    .Add("secret", rotated.Secret)
                    .Add("old secret", rotated.OldSecretUntil is { } until ? $"signs until {OrderText.At(until)}" : null)
                    .WriteTo(session.Terminal);
                session.Terminal.Note("The secret is not shown again.");
                return ExitCode.Done;
            }
        );
    }

    public static Command Enable(Verbs verbs)
    {
        var id = WebhookArgument.Create();
        return verbs.Act(new("enable", "Send to an endpoint again that was disabled.") { id }, async (session, parsed, cancel) =>
        {
            var (desk, name) = await Find(session, parsed.GetRequiredValue(id), cancel);
            var endpoint = await desk.Webhook(name).Enable(cancel) ?? throw WebhookArgument.None(name);
            var enabled = WebhookEnabledForm.Of(
                endpoint,
                WebhookDeliveriesForm.Of(await desk.Subscriber(WebhookForm.SubscriberOf(name), cancel))
            );
            session.Tell(enabled, $"Webhook {name} is enabled.", name);
            if (enabled.Replay is { } replay)
            {
                session.TellNothing(
                    $"{Counts.Of(enabled.Dead, "change lies", "changes lie")} among the dead letters because it was disabled; "
                        + $"this sends them: {replay}"
                );
            }

            return ExitCode.Done;
        });
    }

    public static Command Remove(Verbs verbs)
    {
        var id = WebhookArgument.Create();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask. Needed where nobody can be asked." };
        return verbs.Act(
            new("remove", "Remove an endpoint with all that waits for it, dead letters included.") { id, yes },
            async (session, parsed, cancel) =>
            {
                if (!session.CanAsk && !parsed.GetValue(yes))
                {
                    // Nobody needs to be reached for that.
                    await Confirm.Ask(session, yes: false, "to remove a webhook with its dead letters", "", cancel);
                }

                var (_, name) = await Find(session, parsed.GetRequiredValue(id), cancel);
                await Confirm.Ask(
                    session,
                    parsed.GetValue(yes),
                    $"to remove webhook {Terminal.Clean(name)} with its dead letters",
                    $"Remove webhook {name} with its dead letters?",
                    cancel
                );
                if (!await (await session.Cluster(cancel)).Orders.Webhooks.Remove(name, cancel))
                {
                    throw WebhookArgument.None(name);
                }

                session.Tell(new { id = name, removed = true }, $"Webhook {name} is removed.", name);

                return ExitCode.Done;
            }
        );
    }

    /// <summary>A test that was not taken is a failure of the command: scripts ask for that.</summary>
    public static Command Test(Verbs verbs)
    {
        var id = WebhookArgument.Create();
        return verbs.Act(
            new("test", "Send a test message to an endpoint now, a disabled one too.") { id },
            async (session, parsed, cancel) =>
            {
                var (desk, name) = await Find(session, parsed.GetRequiredValue(id), cancel);
                var tested = WebhookTestedForm.Of(name, await desk.Webhook(name).Test(cancel) ?? throw WebhookArgument.None(name));
                if (session.Json)
                {
                    session.Terminal.Json(tested);
                }
                else
                {
                    new Facts()
                        .Add("id", name)
                        .Add("message", tested.MessageId)
                        .Add("result", tested.Delivered ? "taken" : "not taken", tested.Delivered ? "green" : "red")
                        .Add("detail", tested.Detail)
                        .Add("took", string.Create(CultureInfo.InvariantCulture, $"{tested.Milliseconds:N0} ms"))
                        .WriteTo(session.Terminal);
                }

                return tested.Delivered ? ExitCode.Done : ExitCode.Failed;
            }
        );
    }

    private static int Tell(Session session, WebhookEndpoint endpoint, string became)
    {
        session.Tell(WebhookForm.Of(endpoint), $"Webhook {endpoint.Id} {became}.", endpoint.Id);

        return ExitCode.Done;
    }

    private static void IsSecret(OptionResult result)
    {
        foreach (var token in result.Tokens)
        {
            if (!WebhookSecret.TryParse(token.Value, out _, out var error))
            {
                result.AddError(error);
            }
        }
    }

    private static ImmutableArray<string>? Names(string? events) =>
        events switch
        {
            null => null,
            "all" => [],
            _ => [.. events.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
        };

    private static double? Rate(string? text) =>
        text switch
        {
            null => null,
            "default" => 0,
            _ when double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var rate) && rate > 0 => rate,
            _ => throw new ConsoleException(
                $"--rate is a number of requests per second, or \"default\"; this is \"{Terminal.Clean(text)}\".",
                ExitCode.WrongUsage
            ),
        };

    private static TimeSpan? Grace(string? text) =>
        text is null ? null
        : Durations.TryParse(text, out var grace) ? grace
        : throw new ConsoleException($"--grace is a time such as 30m or 48h; this is \"{Terminal.Clean(text)}\".", ExitCode.WrongUsage);

    private static async Task<(OrderDesk Desk, string Id)> Find(Session session, string id, CancellationToken cancel)
    {
        var desk = (await session.Cluster(cancel)).Orders;
        return (desk, await WebhookArgument.Find(desk, id, cancel));
    }

    private static string Events(WebhookEndpoint endpoint) => endpoint.Events.IsEmpty ? "all" : string.Join(", ", endpoint.Events);

    private static Cell State(WebhookEndpoint endpoint) =>
        endpoint switch
        {
            { PausedSince: not null } => new("paused", "yellow"),
            { IsEnabled: false } => new("disabled", "red"),
            { FailingSince: not null } => new("failing", "yellow"),
            _ => new("enabled", "green"),
        };

    private static Cell Circuit(WebhookEndpoint endpoint) => new(endpoint.Circuit, endpoint.Circuit == "closed" ? null : "yellow");

    private static string? Since(WebhookEndpoint endpoint) => endpoint.FailingSince is { } since ? OrderText.At(since) : null;
}
