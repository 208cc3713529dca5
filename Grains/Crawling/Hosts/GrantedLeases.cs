using System.Collections.Immutable;
using Grains.Interfaces.Crawling;
using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>What a worker that asked gets.</summary>
/// <param name="Skips">URLs that are not to be fetched: to be committed, and nobody waits for it.</param>
internal sealed record GrantedLeases(ImmutableArray<Lease> Leases, IReadOnlyList<IPartitionWork> Skips);
