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
}
