using System.CommandLine;
using System.Text.Json;
using Grains.Interfaces.Orders;
using Grains.Interfaces.Values;

namespace Client.Orders;

/// <summary><c>orders watch [ID]</c></summary>
internal sealed class WatchCommand
{
    private readonly Argument<string?> _id = new("ID")
    {
        Description = "One order's id, or how it begins. [default: all orders]",
        Arity = ArgumentArity.ZeroOrOne,
        Validators = { OrderArgument.RefuseWhatIsNoId },
    };

    private readonly Option<string?> _from = new("--from")
    {
        Description = "Begin after this cursor, or with the oldest change that is kept. [default: now]",
        HelpName = "start|CURSOR",
    };

    private readonly Option<bool> _previous = new("--previous") { Description = "With the order as it was before." };

    public static Command Create(Verbs verbs)
    {
        var watch = new WatchCommand();
        return verbs.Act(
            new(
                "watch",
                "Each change of orders as it is committed, once and in order, until Ctrl-C; over restarts of silos. With --json "
                    + "one object a line, each with the cursor to go on from."
            )
            {
                watch._id,
                watch._from,
                watch._previous,
            },
            watch.Run
        );
    }

    internal static string Sentence(WatchEvent seen) =>
        seen switch
        {
            WatchEvent.Lost { Busy: { } busy } => busy,
            WatchEvent.Lost => "The silo does not answer; looking for it. No change is missed: the watch goes on where it was.",
            WatchEvent.Back back => $"A silo answers again, after {Durations.Elapsed(back.After)}.",
            _ => throw new ArgumentOutOfRangeException(nameof(seen), seen, "A page has no sentence."),
        };

    internal static string Line(OrderChange change, bool previous)
    {
        var before =
            previous && change.Previous is { } order ? $"  was {OrderText.Status(order.Status)} since {OrderText.At(order.UpdatedAt)}" : "";
        return $"{OrderText.At(change.At)}  {change.OrderId}  v{change.Version}  {OrderText.Status(change.Order.Status), -9}  "
            + $"{OrderText.Total(change.Order)}  {Terminal.Clean(change.Order.Customer)}{before}";
    }

    private async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var (terminal, previous, id) = (session.Terminal, parsed.GetValue(_previous), parsed.GetValue(_id));
        if (id is not null)
        {
            id = (await OrderArgument.Find((await session.Cluster(cancel)).Orders, id, cancel)).Value;
        }

        var follower = new OrderFollower(session, parsed.GetValue(_from), id);
        try
        {
            await foreach (var seen in follower.Watch(cancel))
            {
                if (seen is not WatchEvent.Page { Changes: var page })
                {
                    terminal.Note(Sentence(seen));
                    continue;
                }

                foreach (var (cursor, change) in page.Changes)
                {
                    terminal.Text(
                        (
                            session.Json
                                ? JsonSerializer.Serialize(WatchForm.Of(cursor, change, previous), JsonForm.Options)
                                : Line(change, previous)
                        ) + "\n"
                    );
                }

                terminal.Flush();
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Ctrl-C is how a watch ends.
        }

        if (follower.Cursor is { } last)
        {
            terminal.Note($"Go on after this with: orders watch{(id is null ? "" : " " + id)} --from {last}");
        }

        return ExitCode.Done;
    }
}
