using System.CommandLine;
using System.Globalization;
using Client.Values;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders erase --customer C</c></summary>
internal static class EraseCommand
{
    public static Command Create(Verbs verbs)
    {
        var customer = new Option<string>("--customer")
        {
            Description = "Whose orders: the name as the orders have it.",
            HelpName = "C",
            Required = true,
        };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask. Needed where nobody can be asked." };
        return verbs.Act(
            new(
                "erase",
                $"Erase what is personal of a customer's orders: name, e-mail address, language, notes, in the files of the "
                    + $"store too. Orders, books and proofs stay. Not reached: "
                    + $"{char.ToLowerInvariant(ErasedForm.Elsewhere[0])}{ErasedForm.Elsewhere[1..]}"
            )
            {
                customer,
                yes,
            },
            async (session, parsed, cancel) =>
            {
                var name = parsed.GetRequiredValue(customer);
                await Confirm.Ask(
                    session,
                    parsed.GetValue(yes),
                    "to erase a customer's personal data for good",
                    $"Erase what is personal of the orders of \"{name}\" for good?",
                    cancel
                );
                var reply = await (await session.Cluster(cancel)).Orders.Subscribers.Erase(name, cancel);
                if (reply.Error is { } error)
                {
                    throw new ConsoleException(error);
                }

                session.Tell(
                    new ErasedForm(reply.Orders, reply.Changes, reply.FilesCleaned),
                    (
                        reply.Orders == 0
                            ? "There is no order of this customer."
                            : $"{Counts.Of(reply.Orders, "order is", "orders are")} erased, with "
                                + $"{Counts.Of(reply.Changes, "change", "changes")}. The erasure is in the audit."
                    ) + $"\n{Files(reply.FilesCleaned)}\nNot reached: {ErasedForm.Elsewhere}",
                    reply.Orders.ToString(CultureInfo.InvariantCulture)
                );

                return ExitCode.Done;
            }
        );
    }

    private static string Files(bool? cleaned) =>
        cleaned switch
        {
            true => "Files cleaned: nothing of it is left in the files of the store.",
            false => "The files of the store still hold traces of it, for somebody reads them; it is tried again every few seconds. "
                + "Erase again to see whether they are cleaned.",
            null => "The store keeps no files on the silo's machine; what it deleted is gone as its operator promises.",
        };
}
