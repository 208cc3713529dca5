using System.Globalization;

namespace Grains.Crawling.Robots;

/// <summary>What robots.txt says of one URL.</summary>
/// <param name="Line">Of the rule that decided, counted from 1; null when no rule did.</param>
/// <param name="Rule">Its text, without its comment.</param>
/// <param name="Reason">When no rule decided, why it is so, if there is something to say.</param>
public readonly record struct RobotsVerdict(bool Allowed, int? Line = null, string? Rule = null, string? Reason = null)
{
    /// <summary>A sentence for the one who asks why.</summary>
    public string Says
    {
        get
        {
            var answer = Allowed ? "Allowed" : "Not allowed";
            return Line is { } line
                ? string.Create(CultureInfo.InvariantCulture, $"{answer} by line {line} of robots.txt, \"{Rule}\".")
                : $"{answer}: {Reason ?? "no rule of robots.txt matches"}.";
        }
    }
}
