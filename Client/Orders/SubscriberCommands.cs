using System.CommandLine;
using Client.Values;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders subscribers list|remove</c></summary>
internal static class SubscriberCommands
{
    public static Command List(Verbs verbs)
    {
        var limit = new Limit("subscribers", usual: 200);
        var partitions = new Option<bool>("--partitions") { Description = "A line for each partition." };
        return verbs.Read(
            new("list", "Who wants to know of changes, and how far each is.") { partitions, limit.Option },
            async (session, parsed, cancel) =>
                Show(
                    session,
                    SubscriberForm.Of(await (await session.Cluster(cancel)).Orders.Subscribers.List(cancel)),
                    parsed.GetValue(partitions),
                    limit.Of(parsed)
                )
        );
    }

    public static Command Remove(Verbs verbs)
    {
        var name = new Argument<string>("NAME") { Description = "The subscriber's name." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask. Needed where nobody can be asked." };
        return verbs.Act(
            new("remove", "Remove one that no silo runs any more, with all that was kept of it.") { name, yes },
            async (session, parsed, cancel) =>
            {
                var gone = parsed.GetRequiredValue(name);
                await Confirm.Ask(
                    session,
                    parsed.GetValue(yes),
                    $"to remove subscriber {Terminal.Clean(gone)} with its dead letters",
                    $"Remove subscriber {gone} with its dead letters?",
                    cancel
                );
                if (await (await session.Cluster(cancel)).Orders.Subscribers.Remove(gone, cancel) is { } error)
                {
                    throw new ConsoleException(error);
                }

                session.Tell(new { name = gone, removed = true }, $"Subscriber {gone} is removed.", gone);

                return ExitCode.Done;
            }
        );
    }

    private static int Show(Session session, IReadOnlyCollection<SubscriberForm> all, bool partitions, int limit)
    {
        var (subscribers, end) = (all.Take(limit), ListEnd.Of(all.Count, limit));
        if (session.Json)
        {
            foreach (var subscriber in subscribers)
            {
                session.Terminal.Json(subscriber);
            }

            session.End(end, "subscribers");
            return ExitCode.Done;
        }

        var listing = new Listing().Column("subscriber", isId: !partitions);
        _ = partitions
            ? listing.Column("partition", right: true).Column("cursor", right: true)
            : listing.Column("in", right: true).Column("done", right: true);
        listing.Column("lag", right: true).Column("waiting", right: true).Column("dead", right: true).Column("halted", wrap: true);
        foreach (var subscriber in subscribers)
        {
            if (partitions)
            {
                foreach (var part in subscriber.Partitions)
                {
                    listing.Row(
                        subscriber.Name,
                        Counts.Format(part.Partition),
                        Counts.Format(part.Cursor),
                        Counts.Format(part.Lag),
                        Counts.Format(part.Waiting),
                        Dead(part.Dead),
                        part.Halt
                    );
                }
            }
            else
            {
                listing.Row(
                    subscriber.Name,
                    Counts.Format(subscriber.In),
                    Counts.Format(subscriber.Done),
                    Counts.Format(subscriber.Lag),
                    Counts.Format(subscriber.Waiting),
                    Dead(subscriber.Dead),
                    string.Join('\n', subscriber.Partitions.Select(part => part.Halt).OfType<string>().Distinct())
                );
            }
        }

        listing.WriteTo(session.Terminal);
        session.End(end, "subscribers");
        return ExitCode.Done;
    }

    private static Cell Dead(long count) => new(Counts.Format(count), count > 0 ? "red" : null);
}
