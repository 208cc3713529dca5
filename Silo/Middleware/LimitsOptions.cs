using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Silo.Middleware;

/// <summary>How much is taken in at the doors of this process. What is more is answered with 429 and a Retry-After.</summary>
public sealed class LimitsOptions
{
    public const string Section = "Limits";

    [Description(
        "Requests a second under one API key; a second's worth may come at once. Less protects the others, more lets one program do more."
    )]
    [Range(0.001, 100_000.0)]
    public double PerKey { get; set; } = 200;

    [Description("Requests a second under all API keys together; a second's worth may come at once.")]
    [Range(0.001, 100_000.0)]
    public double InAll { get; set; } = 2000;

    [Description("Answers that go on for long, exports and streams of events, at once.")]
    [Range(1, 10_000)]
    public int Streams { get; set; } = 100;

    [Description("Connections at once over all doors; what comes after is closed.")]
    [Range(1, 100_000)]
    public int Connections { get; set; } = 2000;
}
