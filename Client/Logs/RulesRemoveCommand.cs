using System.CommandLine;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary><c>logs rules remove N</c></summary>
internal static class RulesRemoveCommand
{
    public static Command Create(Verbs verbs)
    {
        var number = new Argument<int>("number") { Description = "The rule's number, as \"logs rules list\" shows it." };
        return verbs.Act(
            new("remove", "Take a rule out; it is shown, so that it can be added again.") { number },
            (session, parsed, cancel) => Run(session, parsed.GetRequiredValue(number), cancel)
        );
    }

    private static async Task<int> Run(Session session, int number, CancellationToken cancel)
    {
        var reply = await (await session.Cluster(cancel)).LogRules.Remove(number, revision: null, cancel);
        RuleArgument.Check(reply.Error);
        session.Tell(RuleChangeForm.Of(reply), $"Removed: {Terminal.Clean(reply.Rule!)}", $"{number}");

        return ExitCode.Done;
    }
}
