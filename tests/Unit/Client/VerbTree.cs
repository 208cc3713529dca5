using System.CommandLine;
using ConsoleProgram = Client.Program;

namespace Unit.Client;

/// <summary>The verbs of the console, to be looked at and not run.</summary>
internal static class VerbTree
{
    /// <summary>Those that do something.</summary>
    public static IEnumerable<Command> Leaves()
    {
        var open = new Stack<Command>([Root()]);
        while (open.TryPop(out var command))
        {
            if (command.Subcommands.Count == 0 || command.Arguments.Count > 0)
            {
                yield return command;
            }

            foreach (var verb in command.Subcommands.Where(verb => !verb.Hidden))
            {
                open.Push(verb);
            }
        }
    }

    public static RootCommand Root()
    {
        var terminal = new Terminal(
            TextWriter.Null,
            TextWriter.Null,
            outputIsTerminal: false,
            errorIsTerminal: false,
            (_, _) => Task.FromResult(false),
            TimeProvider.System
        );
        return ConsoleProgram.Root(new(terminal, (_, _) => throw new InvalidOperationException(), _ => null, FollowPace.Usual));
    }
}
