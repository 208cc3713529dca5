using System.CommandLine;
using Grains.Interfaces.Logs;

namespace Client.Logs;

/// <summary>The rule that a verb takes, and what becomes of one that is refused.</summary>
internal static class RuleArgument
{
    public static Argument<string> Create() =>
        new("rule")
        {
            Description =
                "A query, \"=>\" and what is done: keep, drop, sample 10%, sample 100/s, redact email, set name=value, route "
                + "class. In quotes, for the shell.",
        };

    /// <exception cref="ConsoleException">It was refused: why.</exception>
    public static void Check(RuleFault? fault)
    {
        if (fault is not null)
        {
            throw new ConsoleException(fault.Sentence, fault.Kind == RuleFaultKind.Wrong ? ExitCode.WrongUsage : ExitCode.Failed);
        }
    }
}
