using System.CommandLine;
using System.Globalization;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders deliveries ID</c></summary>
internal static class DeliveriesCommand
{
    public static Command Create(Verbs verbs)
    {
        var id = OrderArgument.Create();
        var limit = new Limit("deliveries", usual: 200);
        var command = verbs.Read(
            new("deliveries", "Show who was told of an order's changes: what was tried, when, with what outcome, what comes next.")
            {
                id,
                limit.Option,
            },
            (session, parsed, cancel) => Run(session, parsed.GetRequiredValue(id), limit.Of(parsed), cancel)
        );
        command.Add(ResendCommand.Create(verbs));
        return command;
    }

    private static async Task<int> Run(Session session, string text, int limit, CancellationToken cancel)
    {
        var desk = (await session.Cluster(cancel)).Orders;
        var order = await OrderArgument.Find(desk, text, cancel);
        var shown = await desk.Order(order).Show(cancel) ?? throw OrderArgument.None(text);
        var deliveries = await desk.Subscribers.Deliveries(order, cancel);
        var end = ListEnd.Of(deliveries.All.Length, limit);
        deliveries = deliveries with { All = [.. deliveries.All.Take(limit)] };
        if (session.Json)
        {
            foreach (var delivery in deliveries.All)
            {
                session.Terminal.Json(DeliveryForm.Of(delivery));
            }

            session.End(end, "deliveries");
            return ExitCode.Done;
        }

        Show(session.Terminal, deliveries);
        session.End(end, "deliveries");
        if (shown.Email is null)
        {
            session.Terminal.Note("The order has no e-mail address: nothing of it goes by mail.");
        }

        return ExitCode.Done;
    }

    private static void Show(Terminal terminal, OrderDeliveries deliveries)
    {
        var listing = new Listing().Column("change").Column("to").Column("status").Column("when").Column("what", wrap: true);
        foreach (var delivery in deliveries.All)
        {
            var (earlier, last) = delivery.Tries is [.. var some, var end] ? (some, end) : ([], null);
            var (change, to) = (delivery.Type, delivery.Subscriber);
            foreach (var tried in earlier)
            {
                listing.Row(change, to, new("tried", "grey"), OrderText.At(tried.At), tried.What);
                (change, to) = ("", "");
            }

            if (delivery.Status != DeliveryStatus.Waiting)
            {
                listing.Row(
                    change,
                    to,
                    new(DeliveryForm.Word(delivery.Status), Style(delivery.Status)),
                    OrderText.At(delivery.At ?? last!.At),
                    last?.What
                );
                continue;
            }

            if (last is not null)
            {
                listing.Row(change, to, new("tried", "grey"), OrderText.At(last.At), last.What);
                (change, to) = ("", "");
            }

            listing.Row(change, to, new("waiting", "yellow"), delivery.Next is { } next ? OrderText.At(next) : "", Next(delivery));
        }

        if (listing.Rows > 0)
        {
            listing.WriteTo(terminal);
        }
        else
        {
            terminal.Note("Nobody was told of this order yet, or it is longer ago than deliveries are kept.");
        }

        foreach (var behind in deliveries.Behind)
        {
            terminal.Note($"{behind} has yet to take changes of this order's partition; \"orders subscribers list\" says how many.");
        }

        if (deliveries.All.Any(delivery => delivery.Status == DeliveryStatus.Dead))
        {
            terminal.Note(
                "What is dead lies among the dead letters: \"orders dead-letters list\" shows it, \"orders dead-letters "
                    + "replay\" tries it again."
            );
        }
    }

    private static string Next(Delivery delivery) =>
        delivery.Next is null
            ? "is being tried, or comes after an earlier change"
            : string.Create(CultureInfo.InvariantCulture, $"comes next: try {delivery.Attempts + 1}");

    private static string? Style(DeliveryStatus status) =>
        status switch
        {
            DeliveryStatus.Delivered => "green",
            DeliveryStatus.Dead => "red",
            _ => "grey",
        };
}
