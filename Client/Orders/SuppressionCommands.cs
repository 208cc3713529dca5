using System.CommandLine;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders suppressions list|show|remove</c></summary>
internal static class SuppressionCommands
{
    public static Command List(Verbs verbs)
    {
        var limit = new Limit("addresses");
        return verbs.Read(
            new(
                "list",
                "Addresses that get no mail any more, since their server refused them for good. Little is shown of them, for "
                    + "they are not kept."
            )
            {
                limit.Option,
            },
            async (session, parsed, cancel) =>
            {
                var mail = (await session.Cluster(cancel)).Orders.Mail;
                var listing = new Listing()
                    .Column("address", isId: true)
                    .Column("since")
                    .Column("reason")
                    .Column("what was said", wrap: true);
                var (count, wanted, more) = (0, limit.Of(parsed), true);
                for (string? after = null; more && count < wanted; )
                {
                    var take = Math.Min(wanted - count, IOrderMailGrain.MaxTake);
                    var page = await mail.Suppressions(after, take, cancel);
                    foreach (var suppression in page)
                    {
                        count++;
                        if (session.Json)
                        {
                            session.Terminal.Json(SuppressionForm.Of(suppression));
                        }
                        else
                        {
                            listing.Row(suppression.Masked, OrderText.At(suppression.At), suppression.Reason, suppression.Detail);
                        }
                    }

                    more = page.Length == take;
                    after = more ? page[^1].Id : null;
                }

                if (count == 0)
                {
                    session.TellNothing("Mail goes to every address.");
                }
                else if (!session.Json)
                {
                    listing.WriteTo(session.Terminal);
                }

                session.End(new(count, more ? null : count, more, After: null), "addresses");
                return ExitCode.Done;
            }
        );
    }

    public static Command Show(Verbs verbs)
    {
        var address = Address();
        return verbs.Read(new("show", "Whether an address gets mail, and why not.") { address }, async (session, parsed, cancel) =>
        {
            if (
                await (await session.Cluster(cancel)).Orders.Mail.Suppression(parsed.GetRequiredValue(address), cancel)
                is not { } suppression
            )
            {
                throw Gets();
            }

            session.Tell(
                SuppressionForm.Of(suppression),
                $"{suppression.Masked} gets no mail since {OrderText.At(suppression.At)} ({suppression.Reason}): "
                    + $"{Terminal.Clean(suppression.Detail)}",
                suppression.Reason
            );

            return ExitCode.Done;
        });
    }

    public static Command Remove(Verbs verbs)
    {
        var address = Address();
        return verbs.Act(
            new("remove", "Let mail go to an address again. What was suppressed meanwhile is not sent.") { address },
            async (session, parsed, cancel) =>
            {
                var lifted = parsed.GetRequiredValue(address);
                if (!await (await session.Cluster(cancel)).Orders.Mail.Lift(lifted, cancel))
                {
                    throw Gets();
                }

                session.Tell(new { address = lifted, removed = true }, $"Mail goes to {Terminal.Clean(lifted)} again.", lifted);

                return ExitCode.Done;
            }
        );
    }

    private static Argument<string> Address() => new("ADDRESS") { Description = "The whole address." };

    private static ConsoleException Gets() => new("Mail goes to this address: it is not suppressed.");
}
