using System.CommandLine;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Logs;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders deliveries resend</c></summary>
internal static class ResendCommand
{
    public static Command Create(Verbs verbs)
    {
        var id = new Argument<string?>("ID")
        {
            Description = "The order whose deliveries are made once more: its id, or how it begins.",
            Arity = ArgumentArity.ZeroOrOne,
            Validators = { OrderArgument.RefuseWhatIsNoId },
        };
        var to = new Option<string?>("--to")
        {
            Description = "Only to this one: webhook-ID or mail, as \"orders subscribers list\" has it. Needed with --since.",
            HelpName = "NAME",
        };
        var version = new Option<long?>("--at-version")
        {
            Description = "Only the change that led to this version of the order.",
            HelpName = "N",
        };
        var since = new Option<string?>("--since")
        {
            Description = "All that were made since then: how long ago (15m, 2h, 7d), or a time such as 2026-11-23T10:00:00Z.",
            HelpName = "WHEN",
        };
        var after = new Option<string?>("--after") { Description = "Go on where an answer ended: it says with what.", HelpName = "A" };
        return verbs.Act(
            new(
                "resend",
                "Make deliveries once more that were made, under the same webhook-id: those of an order, or all to an endpoint "
                    + "since a time."
            )
            {
                id,
                to,
                version,
                since,
                after,
            },
            async (session, parsed, cancel) =>
            {
                var from = Time(parsed.GetValue(since));
                var order = parsed.GetValue(id);
                var what = new ResendDeliveries(parsed.GetValue(to), Order: null, parsed.GetValue(version), from, parsed.GetValue(after));
                if (Fault(what, order) is { } fault)
                {
                    throw new ConsoleException(fault, ExitCode.WrongUsage);
                }

                return await Run(session, what, order, cancel);
            }
        );
    }

    /// <summary>Before a connection is made: the order's id stands for any.</summary>
    private static string? Fault(ResendDeliveries what, string? order) =>
        order is null && what.Since is null
            ? "Name an order, or --to and --since."
            : (what with { Order = order is null ? null : default(OrderId) }).Fault();

    private static async Task<int> Run(Session session, ResendDeliveries what, string? order, CancellationToken cancel)
    {
        var desk = (await session.Cluster(cancel)).Orders;
        if (order is not null)
        {
            var id = await OrderArgument.Find(desk, order, cancel);
            _ = await desk.Order(id).Show(cancel) ?? throw OrderArgument.None(order);
            what = what with { Order = id };
        }

        var reply = await desk.Subscribers.Resend(what, $"{Environment.UserName} at the console", cancel);
        if (reply.Error is { } error)
        {
            throw new ConsoleException(error);
        }

        session.Tell(
            new ResentForm(reply.Count, reply.Gone, reply.After),
            $"{Counts.Of(reply.Count, "delivery is", "deliveries are")} made once more.",
            reply.Count.ToString(CultureInfo.InvariantCulture)
        );
        if (session.Json)
        {
            return ExitCode.Done;
        }

        if (reply.Gone > 0)
        {
            session.Terminal.Warn(
                $"{Counts.Of(reply.Gone, "delivery is", "deliveries are")} of changes that are not kept any more, and cannot be made again."
            );
        }

        if (reply.After is { } rest)
        {
            session.Terminal.Warn($"As many wait as may. When fewer do, go on with: --after {rest}");
        }

        return ExitCode.Done;
    }

    private static DateTimeOffset? Time(string? text) =>
        text is null ? null
        : LogTimes.TryParse(text, TimeProvider.System.GetUtcNow(), out var moment) ? moment
        : throw new ConsoleException($"--since is {LogTimes.Forms}; this is \"{Terminal.Clean(text)}\".", ExitCode.WrongUsage);
}
