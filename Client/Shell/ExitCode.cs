using System.Collections.Immutable;

namespace Client.Shell;

/// <summary>What the process answers to the shell that started it.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int NoSilo = 3;

    /// <summary>Ctrl-C answered a question: 128 and the number of SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;

    public const string Meaning = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no silo reached, 130 Ctrl-C at a question.";

    /// <summary>In sentences, for who writes a script.</summary>
    public static ImmutableArray<(int Code, string Meaning)> All { get; } =
    [
        (Done, "It was done; or whoever read the output wanted no more of it."),
        (
            Failed,
            "It failed, was refused, or was stopped before it was done. \"ledger\" and \"doctor\" end with it when something is wrong."
        ),
        (WrongUsage, "What was typed is wrong; no connection was made. Or a question could not be asked where nobody is to answer it."),
        (NoSilo, "No silo was reached, or it went away before it answered."),
        (Interrupted, "Ctrl-C was the answer to a question: nothing was done."),
    ];
}
