using System.CommandLine;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary><c>logs rules add 'QUERY => ACTION' [--at N]</c></summary>
internal static class RulesAddCommand
{
    public static Command Create(Verbs verbs)
    {
        var rule = RuleArgument.Create();
        var at = new Option<int?>("--at") { Description = "The number that it is to have, from 1. None: the last.", HelpName = "number" };
        return verbs.Act(new("add", "Add a rule; every silo goes by it a second later.") { rule, at }, (session, parsed, cancel) =>
            Run(session, parsed.GetRequiredValue(rule), parsed.GetValue(at), cancel)
        );
    }

    private static async Task<int> Run(Session session, string rule, int? at, CancellationToken cancel)
    {
        var reply = await (await session.Cluster(cancel)).LogRules.Add(rule, at, cancel);
        RuleArgument.Check(reply.Error);
        session.Tell(
            RuleChangeForm.Of(reply),
            $"Rule {reply.Number} of {reply.Rules.Rules.Length}: {Terminal.Clean(reply.Rule!)}",
            $"{reply.Number}"
        );

        return ExitCode.Done;
    }
}
