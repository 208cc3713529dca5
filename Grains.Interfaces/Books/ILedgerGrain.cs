using System.Collections.Immutable;

namespace Grains.Interfaces.Books;

/// <summary>The books of all systems, read together. The key is always 0.</summary>
[Alias("books.ILedgerGrain")]
public interface ILedgerGrain : IGrainWithIntegerKey
{
    /// <summary>One account or more per system, from committed counters.</summary>
    [Alias("Read")]
    Task<ImmutableArray<Account>> Read(CancellationToken cancel = default);
}
