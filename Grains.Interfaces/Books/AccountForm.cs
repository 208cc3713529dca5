using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Grains.Interfaces.Books;

/// <summary>An account as programs read it.</summary>
public sealed record AccountForm(
    string System,
    string Account,
    long In,
    long Done,
    ImmutableSortedDictionary<string, long> Refused,
    long Waiting,
    long Bound,
    string WhenFull,
    bool Balances,
    string? Doubt = null
)
{
    /// <summary>How fast it comes in; left out where it is not known: after the first reading of the books, and at the console.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? InPerSecond { get; init; }

    /// <summary>How fast it is done; left out like <see cref="InPerSecond"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DonePerSecond { get; init; }

    public static AccountForm Of(Account account) =>
        new(
            account.System,
            account.Name,
            account.In,
            account.Done,
            account.Refused,
            account.Waiting,
            account.Bound,
            account.WhenFull,
            account.Balances,
            account.Doubt
        );
}
