using System.CommandLine;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders suppressions list|show|remove</c></summary>
internal static class SuppressionCommands
{
    public static Command List(Verbs verbs) =>
        verbs.Read(
            new(
                "list",
                "Addresses that get no mail any more, since their server refused them for good. Little is shown of them, for "
                    + "they are not kept."
            ),
            async (session, _, cancel) =>
            {
                var mail = (await session.Cluster(cancel)).Orders.Mail;
                var listing = new Listing().Column("address").Column("since").Column("reason").Column("what was said", wrap: true);
                var count = 0;
                for (string? after = null; ; )
                {
                    var page = await mail.Suppressions(after, IOrderMailGrain.MaxTake, cancel);
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

                    if (page.Length < IOrderMailGrain.MaxTake)
                    {
                        break;
                    }

                    after = page[^1].Id;
                }

                if (!session.Json && count == 0)
                {
                    session.Terminal.Line("Mail goes to every address.");
                }
                else if (!session.Json)
                {
                    listing.WriteTo(session.Terminal);
                }

                return ExitCode.Done;
            }
        );

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

            if (session.Json)
            {
                session.Terminal.Json(SuppressionForm.Of(suppression));
            }
            else
            {
                session.Terminal.Line(
                    $"{suppression.Masked} gets no mail since {OrderText.At(suppression.At)} ({suppression.Reason}): "
                        + $"{Terminal.Clean(suppression.Detail)}"
                );
            }

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

                if (session.Json)
                {
                    session.Terminal.Json(new { address = lifted, removed = true });
                }
                else
                {
                    session.Terminal.Line($"Mail goes to {Terminal.Clean(lifted)} again.");
                }

                return ExitCode.Done;
            }
        );
    }

    private static Argument<string> Address() => new("ADDRESS") { Description = "The whole address." };

    private static ConsoleException Gets() => new("Mail goes to this address: it is not suppressed.");
}
