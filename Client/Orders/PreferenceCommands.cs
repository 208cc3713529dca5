using System.Collections.Immutable;
using System.CommandLine;
using Grains.Interfaces.Orders;

namespace Client.Orders;

/// <summary><c>orders preferences show|set CUSTOMER</c></summary>
internal static class PreferenceCommands
{
    private const string All = "all";
    private const string None = "none";

    public static Command Show(Verbs verbs)
    {
        var customer = Customer();
        return verbs.Read(new("show", "What a customer wants to be told.") { customer }, async (session, parsed, cancel) =>
        {
            Print(
                session,
                PreferencesForm.Of(await (await session.Cluster(cancel)).Orders.Mail.Preferences(parsed.GetRequiredValue(customer), cancel))
            );
            return ExitCode.Done;
        });
    }

    public static Command Set(Verbs verbs)
    {
        var customer = Customer();
        var mail = new Option<string>("--mail")
        {
            Description = $"Types of changes, such as placed,paid; \"{All}\" for every one, \"{None}\" for no mail.",
            HelpName = "TYPES",
            Required = true,
        };
        return verbs.Act(
            new("set", "Say what a customer wants to be told. It is known everywhere a few seconds later.") { customer, mail },
            async (session, parsed, cancel) =>
            {
                var form = new PreferencesForm(parsed.GetRequiredValue(customer), Types(parsed.GetRequiredValue(mail)));
                var fault = form.TryRead(out var preferences);
                if (fault is not null)
                {
                    throw new ConsoleException(fault, ExitCode.WrongUsage);
                }

                if (await (await session.Cluster(cancel)).Orders.Mail.Prefer(preferences, cancel) is { } refused)
                {
                    throw new ConsoleException(refused);
                }

                Print(session, PreferencesForm.Of(preferences));
                return ExitCode.Done;
            }
        );
    }

    private static Argument<string> Customer() => new("CUSTOMER") { Description = "Whose: the name as the orders have it." };

    private static ImmutableArray<string>? Types(string text) =>
        text switch
        {
            All => null,
            None => ImmutableArray<string>.Empty,
            _ => text.Split(',', StringSplitOptions.TrimEntries).ToImmutableArray(),
        };

    private static void Print(Session session, PreferencesForm preferences)
    {
        if (session.Json)
        {
            session.Terminal.Json(preferences);
            return;
        }

        session.Terminal.Line(
            $"{Terminal.Clean(preferences.Customer)} gets by mail: {preferences.Mail switch
        {
            null => "everything",
            [] => "nothing",
            { } types => string.Join(", ", types.Select(type => type[(type.IndexOf('.', StringComparison.Ordinal) + 1)..])),
        }}."
        );
    }
}
