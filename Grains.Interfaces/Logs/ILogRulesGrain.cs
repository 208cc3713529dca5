using System.Collections.Immutable;
using Orleans.Concurrency;

namespace Grains.Interfaces.Logs;

/// <summary>The rules that log records pass when they come in, in their order. The key is always 0.</summary>
[Alias("logs.ILogRulesGrain")]
public interface ILogRulesGrain : IGrainWithIntegerKey
{
    [Alias("List"), ReadOnly]
    Task<LogRules> List(CancellationToken cancel = default);

    /// <summary>The rules when they are others than those of <paramref name="revision"/>, or null: what a silo asks every second.</summary>
    [Alias("Since"), ReadOnly]
    Task<LogRules?> Since(long revision, CancellationToken cancel = default);

    /// <summary>
    /// Puts a rule at a number, counted from 1, or at the end. A rule that is there already stays where it is: adding it twice is adding it
    /// once.
    /// </summary>
    [Alias("Add")]
    Task<RuleReply> Add(string rule, int? number, CancellationToken cancel = default);

    /// <summary>Takes the rule of this number out.</summary>
    /// <param name="revision">What the caller has seen; when the rules have changed since, nothing is removed. Null: whatever is
    /// there.</param>
    [Alias("Remove")]
    Task<RuleReply> Remove(int number, long? revision, CancellationToken cancel = default);

    /// <summary>
    /// Says what a rule would have done to records that are stored and whose time is not longer ago than <paramref name="age"/>; changes
    /// nothing.
    /// </summary>
    // It reads what is stored, for seconds perhaps, and touches no rule: silos that ask for the rules are not to wait for it.
    [Alias("Test"), AlwaysInterleave]
    Task<RuleTestReply> Test(string rule, TimeSpan age, CancellationToken cancel = default);

    /// <summary>Rules at most.</summary>
    const int MaxRules = 100;

    /// <summary>Records that a test looks at, at most: the newest that match.</summary>
    const int MaxTested = 10_000;
}

/// <param name="Revision">Rises with every change; 0: there never was a rule.</param>
[GenerateSerializer, Immutable, Alias("logs.LogRules")]
public sealed record LogRules([property: Id(0)] long Revision, [property: Id(1)] ImmutableArray<string> Rules);

/// <summary>The rules after what was asked; or why it was not done.</summary>
/// <param name="Number">Of the rule that was added or removed.</param>
/// <param name="Rule">Its text.</param>
/// <param name="Error">Why it was not done; null when it was, or was so already.</param>
[GenerateSerializer, Immutable, Alias("logs.RuleReply")]
public sealed record RuleReply(
    [property: Id(0)] LogRules Rules,
    [property: Id(1)] int Number,
    [property: Id(2)] string? Rule,
    [property: Id(3)] RuleFault? Error
);

/// <summary>Why something about rules was not done.</summary>
/// <param name="Sentence">For people; where the text of a rule is wrong, the text itself and a caret line stand before it.</param>
[GenerateSerializer, Immutable, Alias("logs.RuleFault")]
public sealed record RuleFault([property: Id(0)] RuleFaultKind Kind, [property: Id(1)] string Sentence);

[GenerateSerializer, Alias("logs.RuleFaultKind")]
public enum RuleFaultKind
{
    /// <summary>The text is no rule, or names what is not there.</summary>
    Wrong,

    /// <summary>There is no rule of this number.</summary>
    NotThere,

    /// <summary>The rules are full, or were changed meanwhile.</summary>
    Conflict,

    /// <summary>What is stored cannot be read at the moment.</summary>
    Unavailable,
}

[GenerateSerializer, Immutable, Alias("logs.RuleTestReply")]
public sealed record RuleTestReply([property: Id(0)] RuleTest? Test, [property: Id(1)] RuleFault? Error);

/// <summary>What a rule would have done.</summary>
/// <param name="Matching">Records that its query matches, as far as was looked.</param>
/// <param name="Total">Records that were looked at.</param>
/// <param name="Tested">Of those that match, the newest: the rule was run on these.</param>
/// <param name="IsWhole">All that is stored since then was looked at; else it stopped early.</param>
/// <param name="Filtered">Of <paramref name="Tested"/>: would not have been stored.</param>
/// <param name="Sampled">Would have been sampled away. A sample by the second takes its seconds from the records' times.</param>
/// <param name="Changed">Would have been stored in another form.</param>
/// <param name="Routed">Would have gone to another retention class.</param>
[GenerateSerializer, Immutable, Alias("logs.RuleTest")]
public sealed record RuleTest(
    [property: Id(0)] long Matching,
    [property: Id(1)] long Total,
    [property: Id(2)] int Tested,
    [property: Id(3)] bool IsWhole,
    [property: Id(4)] int Filtered,
    [property: Id(5)] int Sampled,
    [property: Id(6)] int Changed,
    [property: Id(7)] int Routed,
    [property: Id(8)] ImmutableArray<RuleExample> Examples
);

/// <param name="Before">Body, and attributes behind it; cut when longer than 1,000 characters.</param>
/// <param name="After">The same, afterwards; null when it would not have been stored.</param>
[GenerateSerializer, Immutable, Alias("logs.RuleExample")]
public sealed record RuleExample(
    [property: Id(0)] DateTimeOffset Time,
    [property: Id(1)] string Service,
    [property: Id(2)] string Before,
    [property: Id(3)] string? After
);
