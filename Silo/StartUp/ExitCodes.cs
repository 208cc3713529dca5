using System.Collections.Immutable;

namespace Silo.StartUp;

/// <summary>With what the program ends.</summary>
public static class ExitCodes
{
    public const int Stopped = 0;
    public const int Failed = 1;
    public const int WrongSetting = 2;

    /// <summary>Interrupted twice: 128 and the number of the signal, as shells have it.</summary>
    public const int Interrupted = 130;

    public static ImmutableArray<(int Code, string Meaning)> All { get; } =
    [
        (Stopped, "The silo was stopped and has left the cluster."),
        (Failed, "It could not start: a port is in use, say, or the data cannot be used."),
        (WrongSetting, "A setting is wrong or does not exist."),
        (Interrupted, "Ctrl-C was pressed a second time, and the silo ended at once."),
    ];
}
