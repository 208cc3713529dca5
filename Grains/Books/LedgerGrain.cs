using System.Collections.Immutable;
using Grains.Interfaces.Books;
using Orleans.Concurrency;

namespace Grains.Books;

/// <summary>Reads the accounts of all systems, in the order in which they are registered.</summary>
[StatelessWorker(maxLocalWorkers: 1)]
[GrainType("ledger")]
public sealed class LedgerGrain(IEnumerable<IAccountSource> sources) : Grain, ILedgerGrain
{
    public async Task<ImmutableArray<Account>> Read(CancellationToken cancel)
    {
        var accounts = await Task.WhenAll(sources.Select(source => source.Read(cancel)));
        return [.. accounts.SelectMany(system => system)];
    }
}
