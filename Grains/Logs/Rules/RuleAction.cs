using System.Collections.Immutable;
using Grains.Logs.Queries;

namespace Grains.Logs.Rules;

/// <summary>What a rule does with a record that its query matches.</summary>
public abstract record RuleAction
{
    private RuleAction() { }

    /// <summary>It is kept as it is now; no further rule is asked.</summary>
    public sealed record Keep : RuleAction;

    /// <summary>It is not stored, and counted as filtered.</summary>
    public sealed record Drop : RuleAction;

    /// <summary>It goes on to the next rule with this chance, from 0 to 1; else it is not stored, and counted as sampled.</summary>
    public sealed record SampleShare(double Share) : RuleAction;

    /// <summary>
    /// So many of a service in a second, in each silo, go on to the next rule; the others are not stored, and counted as sampled.
    /// </summary>
    public sealed record SampleRate(int PerSecond) : RuleAction;

    /// <summary>What is found is replaced by its name in brackets. It goes on to the next rule.</summary>
    /// <param name="Fields">Body (empty name) and attributes by name; empty: the body and every attribute.</param>
    public sealed record Redact(ImmutableArray<Secret> Secrets, ImmutableArray<string> Fields) : RuleAction
    {
        public bool InBody => Fields.IsEmpty || Fields.Contains("");
    }

    /// <summary>The attribute has this value from now on. It goes on to the next rule.</summary>
    /// <param name="Json">The value as JSON.</param>
    public sealed record Set(string Name, string Json) : RuleAction;

    /// <summary>It is kept as long as this class says; the last one counts. It goes on to the next rule.</summary>
    public sealed record Route(string Class) : RuleAction;
}

/// <summary>A kind of text that has no place in a log.</summary>
/// <param name="Name">What stands in brackets in its place.</param>
/// <param name="Pattern">Null for a kind that is known by its name.</param>
public sealed record Secret(string Name, Pattern? Pattern = null)
{
    public static readonly Secret Email = new("email");
    public static readonly Secret Card = new("card");
    public static readonly Secret Bearer = new("bearer");
    public static readonly Secret Ip = new("ip");
}
