using System.CommandLine;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders dead-letters list|show|replay|discard</c></summary>
internal sealed class DeadLetterCommands
{
    private readonly Option<string?> _subscriber = new("--subscriber") { Description = "Only of this subscriber.", HelpName = "NAME" };
    private readonly Option<string?> _reason = new("--reason")
    {
        Description = "Only with this reason, as the list has it.",
        HelpName = "R",
    };
    private readonly Argument<string?> _id = new("ID")
    {
        Description = DeadLetterArgument.Description,
        Arity = ArgumentArity.ZeroOrOne,
        Validators = { DeadLetterArgument.RefuseWhatIsNoId },
    };
    private readonly Option<bool> _all = new("--all") { Description = "All that there are." };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask. Needed where nobody can be asked." };
    private readonly Option<bool> _byReason = new("--by-reason") { Description = "How many there are of each reason." };
    private readonly Limit _limit = new("dead letters", aliases: "--take");
    private readonly Option<string?> _after = new("--after")
    {
        Description = "Go on where a list ended: it says with what.",
        HelpName = "ID",
    };

    private DeadLetterCommands() { }

    public static Command List(Verbs verbs)
    {
        var it = new DeadLetterCommands();
        return verbs.Read(
            new("list", "Changes that a subscriber could not handle, for good.")
            {
                it._subscriber,
                it._reason,
                it._byReason,
                it._limit.Option,
                it._after,
            },
            it.List
        );
    }

    public static Command Show(Verbs verbs)
    {
        var id = new Argument<string>("ID")
        {
            Description = DeadLetterArgument.Description,
            Validators = { DeadLetterArgument.RefuseWhatIsNoId },
        };
        return verbs.Read(new("show", "One dead letter, and what was tried.") { id }, (session, parsed, cancel) =>
            Show(session, parsed.GetRequiredValue(id), cancel)
        );
    }

    public static Command Replay(Verbs verbs)
    {
        var it = new DeadLetterCommands();
        return verbs.Act(
            new("replay", "Hand dead letters to their subscribers again: one, by subscriber or reason, or all.")
            {
                it._id,
                it._subscriber,
                it._reason,
                it._all,
            },
            async (session, parsed, cancel) =>
            {
                var asked = it.Filter(parsed);
                var desk = (await session.Cluster(cancel)).Orders.Subscribers;
                var filter = await Resolve(asked, desk, parsed.GetValue(it._id), cancel);
                var reply = await desk.Replay(filter, Who(), cancel);
                return Tell(session, filter, reply, "replayed");
            }
        );
    }

    public static Command Discard(Verbs verbs)
    {
        var it = new DeadLetterCommands();
        return verbs.Act(
            new("discard", "Remove dead letters for good: one, by subscriber or reason, or all.")
            {
                it._id,
                it._subscriber,
                it._reason,
                it._all,
                it._yes,
            },
            async (session, parsed, cancel) =>
            {
                var asked = it.Filter(parsed);
                await Confirm.Ask(
                    session,
                    parsed.GetValue(it._yes),
                    "to discard dead letters",
                    "Discard these dead letters for good?",
                    cancel
                );
                var desk = (await session.Cluster(cancel)).Orders.Subscribers;
                var filter = await Resolve(asked, desk, parsed.GetValue(it._id), cancel);
                var reply = await desk.Discard(filter, Who(), cancel);
                return Tell(session, filter, reply, "discarded");
            }
        );
    }

    private static string Who() => $"{Environment.UserName} at the console";

    private async Task<int> List(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var (subscriber, reason, wanted) = (parsed.GetValue(_subscriber), parsed.GetValue(_reason), _limit.Of(parsed));
        DeadLetterId? after = parsed.GetValue(_after) is { } text ? Read(text) : null;

        var desk = (await session.Cluster(cancel)).Orders.Subscribers;
        if (parsed.GetValue(_byReason))
        {
            return Groups(session, SubscriberForm.Of(await desk.List(cancel)), subscriber, reason);
        }

        var (left, listing) = (
            wanted,
            new Listing()
                .Column("id", isId: true)
                .Column("order")
                .Column("change")
                .Column("reason")
                .Column("since")
                .Column("detail", wrap: true)
        );
        do
        {
            var page = await desk.DeadLetters(new(subscriber, reason, Math.Min(left, ISubscriberGrain.MaxTake), after), cancel);
            foreach (var letter in page.Letters)
            {
                if (session.Json)
                {
                    session.Terminal.Json(DeadLetterForm.Of(letter));
                }
                else
                {
                    listing.Row(
                        DeadLetterId.Of(letter).ToString(),
                        letter.Change.OrderId.Value,
                        letter.Change.Type,
                        new(letter.Reason, "red"),
                        OrderText.At(letter.At),
                        letter.Detail
                    );
                }
            }

            (left, after) = (left - page.Letters.Length, page.After);
        } while (left > 0 && after is not null);
        if (!session.Json && listing.Rows == 0)
        {
            session.TellNothing(subscriber is null && reason is null ? "There are no dead letters." : "There is no such dead letter.");
        }
        else if (!session.Json)
        {
            listing.WriteTo(session.Terminal);
        }

        session.End(ListEnd.Of(wanted - left, after?.ToString()), "dead letters");

        return ExitCode.Done;
    }

    private static int Groups(Session session, IEnumerable<SubscriberForm> subscribers, string? subscriber, string? reason)
    {
        var listing = new Listing().Column("subscriber").Column("reason").Column("dead", right: true);
        foreach (var form in subscribers.Where(form => subscriber is null || form.Name == subscriber))
        {
            foreach (var (name, count) in form.DeadByReason.Where(pair => reason is null || pair.Key == reason))
            {
                if (session.Json)
                {
                    session.Terminal.Json(
                        new
                        {
                            subscriber = form.Name,
                            reason = name,
                            dead = count,
                        }
                    );
                }

                listing.Row(form.Name, new(name, "red"), Counts.Format(count));
            }
        }

        if (!session.Json && listing.Rows == 0)
        {
            session.TellNothing("There are no dead letters.");
        }
        else if (!session.Json)
        {
            listing.WriteTo(session.Terminal);
        }

        return ExitCode.Done;
    }

    private static async Task<int> Show(Session session, string text, CancellationToken cancel)
    {
        var letter = await DeadLetterArgument.Find((await session.Cluster(cancel)).Orders.Subscribers, text, cancel);
        if (session.Json)
        {
            session.Terminal.Json(DeadLetterForm.Of(letter));
            return ExitCode.Done;
        }

        var facts = new Facts()
            .Add("id", DeadLetterId.Of(letter).ToString())
            .Add("order", letter.Change.OrderId.Value)
            .Add("change", string.Create(CultureInfo.InvariantCulture, $"{letter.Change.Type}, version {letter.Change.Version}"))
            .Add("reason", letter.Reason, "red")
            .Add("detail", letter.Detail)
            .Add("since", OrderText.At(letter.At));
        foreach (var tried in letter.History)
        {
            facts.Add(OrderText.At(tried.At), tried.What);
        }

        facts.WriteTo(session.Terminal);
        return ExitCode.Done;
    }

    /// <summary>With the dead letter that the id means, where one was typed.</summary>
    private static async Task<DeadLetterFilter> Resolve(
        DeadLetterFilter asked,
        ISubscriberListGrain desk,
        string? id,
        CancellationToken cancel
    ) => id is null ? asked : asked with { Id = DeadLetterId.Of(await DeadLetterArgument.Find(desk, id, cancel)) };

    /// <summary>What is asked for; the id itself is found when a silo is reached.</summary>
    private DeadLetterFilter Filter(ParseResult parsed)
    {
        var (id, subscriber, reason, all) = (
            parsed.GetValue(_id),
            parsed.GetValue(_subscriber),
            parsed.GetValue(_reason),
            parsed.GetValue(_all)
        );
        return (id is not null, subscriber is not null || reason is not null, all) switch
        {
            (true, false, false) => new(),
            (false, true, false) => new(null, subscriber, reason),
            (false, false, true) => new(),
            _ => throw new ConsoleException("Say which: an ID, or --subscriber or --reason or both, or --all.", ExitCode.WrongUsage),
        };
    }

    private static int Tell(Session session, DeadLetterFilter filter, DeadLetterReply reply, string became)
    {
        if (filter.Id is { } id && reply.Count == 0)
        {
            throw DeadLetterArgument.None(id.ToString());
        }

        session.Tell(
            new DeadLettersDoneForm(reply.Count, reply.Left),
            $"{Counts.Format(reply.Count)} dead letter{(reply.Count == 1 ? " is" : "s are")} {became}.",
            reply.Count.ToString(CultureInfo.InvariantCulture)
        );

        if (reply.Left > 0 && !session.Json)
        {
            session.Terminal.Warn($"{Counts.Format(reply.Left)} are there still: as many wait as may, or more came. Ask again in a while.");
        }

        return ExitCode.Done;
    }

    private static DeadLetterId Read(string text) =>
        DeadLetterId.TryParse(text, out var id)
            ? id
            : throw new ConsoleException(
                $"--after is a dead letter's id, such as mail/3/1f; this is \"{Terminal.Clean(text)}\".",
                ExitCode.WrongUsage
            );
}
