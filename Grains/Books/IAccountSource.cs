using System.Collections.Immutable;
using Grains.Interfaces.Books;

namespace Grains.Books;

/// <summary>One system's side of the books.</summary>
public interface IAccountSource
{
    /// <summary>Its accounts, from committed counters; a system without anything to count has an account of zeros.</summary>
    Task<ImmutableArray<Account>> Read(CancellationToken cancel);
}
