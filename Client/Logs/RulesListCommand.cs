using System.CommandLine;
using System.Globalization;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary><c>logs rules list</c></summary>
internal static class RulesListCommand
{
    public static Command Create(Verbs verbs) => verbs.Read(new("list", "The rules, in the order in which records pass them."), Run);

    private static async Task<int> Run(Session session, ParseResult parsed, CancellationToken cancel)
    {
        var rules = RuleListForm.Of(await (await session.Cluster(cancel)).LogRules.List(cancel));
        if (session.Json)
        {
            session.Terminal.Json(rules);
        }
        else if (rules.Rules.IsEmpty)
        {
            session.Terminal.Line(
                "There is no rule: every record is stored as it comes. Add one with: logs rules add 'severity<=debug => drop'"
            );
        }
        else
        {
            var listing = new Listing().Column("number", right: true).Column("rule", wrap: true);
            foreach (var rule in rules.Rules)
            {
                listing.Row(rule.Number.ToString(CultureInfo.InvariantCulture), rule.Rule);
            }

            listing.WriteTo(session.Terminal);
        }

        return ExitCode.Done;
    }
}
