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
        Description = "One dead letter, as the list has it: mail/3/1f.",
        Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<bool> _all = new("--all") { Description = "All that there are." };
    private readonly Option<bool> _yes = new("--yes", "-y") { Description = "Do not ask. Needed where nobody can be asked." };
    private readonly Option<bool> _byReason = new("--by-reason") { Description = "How many there are of each reason." };
    private readonly Option<int> _take = new("--take")
    {
        Description = "So many at most.",
        HelpName = "N",
        DefaultValueFactory = _ => 50,
    };
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
                it._take,
                it._after,
            },
            it.List
        );
    }

    public static Command Show(Verbs verbs)
    {
        var id = new Argument<string>("ID") { Description = "The dead letter, as the list has it: mail/3/1f." };
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
                var filter = it.Filter(parsed);
                var reply = await (await session.Cluster(cancel)).Orders.Subscribers.Replay(filter, Who(), cancel);
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
                var filter = it.Filter(parsed);
                await Confirm.Ask(
                    session,
                    parsed.GetValue(it._yes),
                    "to discard dead letters",
                    "Discard these dead letters for good?",
                    cancel
                );
                var reply = await (await session.Cluster(cancel)).Orders.Subscribers.Discard(filter, Who(), cancel);
                return Tell(session, filter, reply, "discarded");
            }
        );
    }

    private static string Who() => $"{Environment.UserName} at the console";

    private async Task<int> List(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var (subscriber, reason, wanted) = (parsed.GetValue(_subscriber), parsed.GetValue(_reason), parsed.GetValue(_take));
        if (wanted < 1)
        {
            throw new ConsoleException($"--take is 1 or more; this is {wanted}.", ExitCode.WrongUsage);
        }

        var desk = (await session.Cluster(cancel)).Orders.Subscribers;
        if (parsed.GetValue(_byReason))
        {
            return Groups(session, SubscriberForm.Of(await desk.List(cancel)), subscriber, reason);
        }

        DeadLetterId? after = parsed.GetValue(_after) is { } text ? Read(text) : null;
        var (left, listing) = (
            wanted,
            new Listing().Column("id").Column("order").Column("change").Column("reason").Column("since").Column("detail", wrap: true)
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
            session.Terminal.Line(subscriber is null && reason is null ? "There are no dead letters." : "There is no such dead letter.");
        }
        else if (!session.Json)
        {
            listing.WriteTo(session.Terminal);
        }

        if (after is { } more)
        {
            session.Terminal.Note($"There may be more: go on with --after {more}");
        }

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
            session.Terminal.Line("There are no dead letters.");
        }
        else if (!session.Json)
        {
            listing.WriteTo(session.Terminal);
        }

        return ExitCode.Done;
    }

    private static async Task<int> Show(Session session, string text, CancellationToken cancel)
    {
        var letter = await (await session.Cluster(cancel)).Orders.Subscribers.DeadLetter(Read(text), cancel) ?? throw None(text);
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
            (true, false, false) => new(Read(id!)),
            (false, true, false) => new(null, subscriber, reason),
            (false, false, true) => new(),
            _ => throw new ConsoleException("Say which: an ID, or --subscriber or --reason or both, or --all.", ExitCode.WrongUsage),
        };
    }

    private static int Tell(Session session, DeadLetterFilter filter, DeadLetterReply reply, string became)
    {
        if (filter.Id is { } id && reply.Count == 0)
        {
            throw None(id.ToString());
        }

        if (session.Json)
        {
            session.Terminal.Json(new DeadLettersDoneForm(reply.Count, reply.Left));
        }
        else
        {
            session.Terminal.Line($"{Counts.Format(reply.Count)} dead letter{(reply.Count == 1 ? " is" : "s are")} {became}.");
        }

        if (reply.Left > 0 && !session.Json)
        {
            session.Terminal.Note($"{Counts.Format(reply.Left)} are there still: as many wait as may, or more came. Ask again in a while.");
        }

        return ExitCode.Done;
    }

    private static DeadLetterId Read(string text) => DeadLetterId.TryParse(text, out var id) ? id : throw None(text);

    private static ConsoleException None(string text) =>
        new($"There is no dead letter \"{Terminal.Clean(text)}\"; \"orders dead-letters list\" shows those that there are.");
}
