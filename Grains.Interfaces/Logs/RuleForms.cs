using System.Collections.Immutable;

namespace Grains.Interfaces.Logs;

/// <summary>The rules as programs read them.</summary>
public sealed record RuleListForm(long Revision, ImmutableArray<RuleForm> Rules)
{
    public static RuleListForm Of(LogRules rules) => new(rules.Revision, [.. rules.Rules.Select((rule, at) => new RuleForm(at + 1, rule))]);
}

/// <param name="Number">From 1, in the order in which rules are asked.</param>
public sealed record RuleForm(int Number, string Rule);

/// <summary>A rule that was added or removed.</summary>
/// <param name="Number">Where it stands, or stood.</param>
public sealed record RuleChangeForm(int Number, string Rule, long Revision)
{
    public static RuleChangeForm Of(RuleReply reply) => new(reply.Number, reply.Rule ?? "", reply.Rules.Revision);
}

/// <summary>What a rule would have done: the members of <see cref="RuleTest"/>.</summary>
public sealed record RuleTestForm(
    long Total,
    long Matching,
    int Tested,
    bool IsWhole,
    int Filtered,
    int Sampled,
    int Changed,
    int Routed,
    ImmutableArray<RuleExample> Examples
)
{
    public static RuleTestForm Of(RuleTest test) =>
        new(test.Total, test.Matching, test.Tested, test.IsWhole, test.Filtered, test.Sampled, test.Changed, test.Routed, test.Examples);
}
