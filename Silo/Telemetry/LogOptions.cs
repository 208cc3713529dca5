using System.ComponentModel;

namespace Silo.Telemetry;

/// <summary>In which form the log is written.</summary>
public enum LogFormat
{
    /// <summary>For people: one line per entry.</summary>
    Line,

    /// <summary>For programs: one JSON object a line.</summary>
    Json,
}

/// <summary>The silo's log, on standard output.</summary>
public sealed class LogOptions
{
    public const string Section = "Log";

    [Description("How standard output is written: Line for people, Json for programs, one object a line. \"--log json\" is short for it.")]
    public LogFormat Format { get; set; } = LogFormat.Line;
}
