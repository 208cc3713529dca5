namespace Grains.Interfaces.Logs;

/// <summary>Names of severities and the numbers that they stand for (OpenTelemetry's data model: four numbers a name).</summary>
public static class LogSeverity
{
    private static readonly string[] Names = ["trace", "debug", "info", "warn", "error", "fatal"];

    /// <summary>The lowest number of a name: trace 1, debug 5, info 9, warn 13, error 17, fatal 21; upper and lower case alike, and the usual long forms. 0 when it is none.</summary>
    public static byte Of(string name) => name.ToLowerInvariant() switch
    {
        "trace" or "verbose" => 1,
        "debug" => 5,
        "info" or "information" or "notice" => 9,
        "warn" or "warning" => 13,
        "error" or "err" => 17,
        "fatal" or "critical" or "crit" or "alert" or "emerg" or "panic" => 21,
        _ => 0,
    };

    /// <summary><c>info</c> for 9, <c>info2</c> for 10; empty for 0.</summary>
    public static string Name(byte number) => number is 0 or > 24 ? "" : Names[(number - 1) / 4] + ((number - 1) % 4 is var step and > 0 ? step + 1 : "");
}
