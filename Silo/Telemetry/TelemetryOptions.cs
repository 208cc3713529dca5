using System.ComponentModel;

namespace Silo.Telemetry;

/// <summary>What is measured.</summary>
public sealed class TelemetryOptions
{
    public const string Section = "Telemetry";

    [Description(
        "Measures every call of a grain too, by interface and method, at /metrics and on the dashboard, and what Orleans counts "
            + "of its messages. It shows where time goes, and costs a crawl a third of its pace or more; so it is for looking, "
            + "not for always."
    )]
    public bool Calls { get; set; }
}
