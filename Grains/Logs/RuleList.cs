using System.Collections.Immutable;
using Grains.Interfaces.Logs;
using Grains.Logs.Rules;
using Grains.Logs.Segments;

namespace Grains.Logs;

/// <summary>The list of rules as it is kept: at most <see cref="RuleSet.MaxRules"/>, no rule twice.</summary>
[GenerateSerializer, Alias("logs.RuleList")]
public sealed record RuleList
{
    /// <summary>The name of the storage that keeps it.</summary>
    public const string Storage = "logs.rules";

    [Id(0)]
    public long Revision { get; init; }

    [Id(1)]
    public ImmutableArray<string> Rules { get; init; } = [];

    public LogRules Shown => new(Revision, Rules);

    /// <param name="number">Where, counted from 1; null: at the end.</param>
    /// <param name="classes">The retention classes that there are.</param>
    public (RuleList List, RuleReply Reply) Add(string text, int? number, RetentionClasses classes)
    {
        if (!LogRule.TryParse(text, out var rule, out var error))
        {
            return Refuse(RuleFaultKind.Wrong, error.Show(text));
        }

        if (rule.Action is RuleAction.Route route && !classes.Kept.ContainsKey(route.Class))
        {
            return Refuse(
                RuleFaultKind.Wrong,
                $"There is no retention class \"{route.Class}\"; there are {string.Join(", ", classes.Kept.Keys)} (Logs:Retention)."
            );
        }

        if (Rules.IndexOf(rule.Text) is >= 0 and var known)
        {
            return (this, new(Shown, known + 1, rule.Text, null));
        }

        if (Rules.Length >= RuleSet.MaxRules)
        {
            return Refuse(RuleFaultKind.Conflict, $"{RuleSet.MaxRules} rules are kept already. Remove one first.");
        }

        if (number < 1 || number > Rules.Length + 1)
        {
            return Refuse(RuleFaultKind.Wrong, $"A rule can stand at 1 to {Rules.Length + 1}; this is {number}.");
        }

        var at = (number ?? Rules.Length + 1) - 1;
        var list = new RuleList { Revision = Revision + 1, Rules = Rules.Insert(at, rule.Text) };
        return (list, new(list.Shown, at + 1, rule.Text, null));
    }

    public (RuleList List, RuleReply Reply) Remove(int number, long? revision)
    {
        if (revision is { } seen && seen != Revision)
        {
            return Refuse(
                RuleFaultKind.Conflict,
                $"The rules were changed meanwhile: they are at revision {Revision}, and {seen} was expected. Look at them again."
            );
        }

        if (number < 1 || number > Rules.Length)
        {
            return Refuse(
                RuleFaultKind.NotThere,
                Rules.IsEmpty ? $"There is no rule {number}: there are none." : $"There is no rule {number}; there are 1 to {Rules.Length}."
            );
        }

        var list = new RuleList { Revision = Revision + 1, Rules = Rules.RemoveAt(number - 1) };
        return (list, new(list.Shown, number, Rules[number - 1], null));
    }

    private (RuleList, RuleReply) Refuse(RuleFaultKind kind, string sentence) => (this, new(Shown, 0, null, new(kind, sentence)));
}
