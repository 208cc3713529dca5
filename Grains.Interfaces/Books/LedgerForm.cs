using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Grains.Interfaces.Books;

/// <summary>The books as programs read them over HTTP.</summary>
/// <param name="RatesOverSeconds">What the rates of the accounts are over; left out while there are none.</param>
public sealed record LedgerForm(
    ImmutableArray<AccountForm> Accounts,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? RatesOverSeconds = null
);
