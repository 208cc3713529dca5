using System.Collections.Immutable;

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
