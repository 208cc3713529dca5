using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders timeline ID</c></summary>
internal static class TimelineCommand
{
    public static Command Create(Verbs verbs)
    {
        var id = OrderArgument.Create();
        var limit = new Limit("entries", usual: 500);
        return verbs.Read(
            new("timeline", "Show what happened to an order: changes, each try to tell somebody with what was answered, the audit.")
            {
                id,
                limit.Option,
            },
            (session, parsed, cancel) => Run(session, parsed.GetRequiredValue(id), limit.Of(parsed), cancel)
        );
    }

    private static async Task<int> Run(Session session, string text, int limit, CancellationToken cancel)
    {
        var desk = (await session.Cluster(cancel)).Orders;
        var order = await OrderArgument.Find(desk, text, cancel);
        var timeline = await desk.Subscribers.Timeline(order, cancel) ?? throw OrderArgument.None(text);
        // The newest are shown, in the order in which they happened; what the silo left out is older still.
        var shown = timeline.Entries.TakeLast(limit);
        var (all, count) = (timeline.Entries.Length + timeline.LeftOut, Math.Min(limit, timeline.Entries.Length));
        var end = new ListEnd(count, all, all > count, After: null);
        if (session.Json)
        {
            foreach (var entry in shown)
            {
                session.Terminal.Json(TimelineEntryForm.Of(entry));
            }

            session.End(end, "entries");
            return ExitCode.Done;
        }

        var listing = new Listing().Column("when").Column("version").Column("what").Column("detail", wrap: true).Column("audit");
        foreach (var entry in shown)
        {
            listing.Row(
                OrderText.At(entry.At),
                entry.Version > 0 ? Counts.Format(entry.Version) : "",
                new(What(entry), Style(entry)),
                Detail(entry),
                entry.AuditIndex is { } index ? Counts.Format(index) : ""
            );
        }

        listing.WriteTo(session.Terminal);
        if (timeline.LeftOut > 0)
        {
            session.Terminal.Warn($"{Counts.Of(timeline.LeftOut, "older entry is", "older entries are")} left out.");
        }
        else
        {
            session.End(end, "entries");
        }

        foreach (var behind in timeline.Behind)
        {
            session.Terminal.Note($"{behind} has yet to take changes of this order's partition.");
        }

        return ExitCode.Done;
    }

    private static string What(OrderTimelineEntry entry) => entry.Kind == OrderTimelineKind.Try ? $"try: {entry.Subscriber}" : entry.What;

    private static string Detail(OrderTimelineEntry entry) =>
        entry.Answer is null ? entry.Detail ?? "" : $"{entry.Detail} Answered: {Terminal.Clean(entry.Answer)}";

    private static string? Style(OrderTimelineEntry entry) =>
        entry.Kind switch
        {
            OrderTimelineKind.Change => "blue",
            OrderTimelineKind.Waiting => "yellow",
            OrderTimelineKind.Delivery when entry.What.EndsWith(".dead", StringComparison.Ordinal) => "red",
            OrderTimelineKind.Delivery when entry.What.EndsWith(".delivered", StringComparison.Ordinal) => "green",
            _ => "grey",
        };
}
