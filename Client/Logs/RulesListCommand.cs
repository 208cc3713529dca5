using System.CommandLine;
using System.Globalization;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary><c>logs rules list</c></summary>
internal static class RulesListCommand
{
    public static Command Create(Verbs verbs)
    {
        var limit = new Limit("rules", usual: ILogRulesGrain.MaxRules);
        return verbs.Read(new("list", "The rules, in the order in which records pass them.") { limit.Option }, (session, parsed, cancel) =>
            Run(session, limit.Of(parsed), cancel)
        );
    }

    private static async Task<int> Run(Session session, int limit, CancellationToken cancel)
    {
        var rules = RuleListForm.Of(await (await session.Cluster(cancel)).LogRules.List(cancel));
        var shown = rules.Rules.Take(limit);
        if (session.Json)
        {
            foreach (var rule in shown)
            {
                session.Terminal.Json(rule);
            }
        }
        else if (rules.Rules.IsEmpty)
        {
            session.TellNothing(
                "There is no rule: every record is stored as it comes. Add one with: logs rules add 'severity<=debug => drop'"
            );
        }
        else
        {
            var listing = new Listing().Column("number", right: true, isId: true).Column("rule", wrap: true);
            foreach (var rule in shown)
            {
                listing.Row(rule.Number.ToString(CultureInfo.InvariantCulture), rule.Rule);
            }

            listing.WriteTo(session.Terminal);
        }

        var end = ListEnd.Of(rules.Rules.Length, limit);
        if (session.Json)
        {
            session.Terminal.Json(
                new
                {
                    end = new
                    {
                        end.Count,
                        end.Total,
                        end.More,
                        end.After,
                        rules.Revision,
                    },
                }
            );
        }
        else
        {
            session.End(end, "rules");
        }
        return ExitCode.Done;
    }
}
