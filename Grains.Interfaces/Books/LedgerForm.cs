using System.Collections.Immutable;

namespace Grains.Interfaces.Books;

/// <summary>The books as programs read them over HTTP.</summary>
public sealed record LedgerForm(ImmutableArray<AccountForm> Accounts);
