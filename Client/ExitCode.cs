namespace Client;

/// <summary>What the process answers to the shell that started it.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    public const int NoSilo = 3;

    public const string Meaning = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no silo reached.";
}
