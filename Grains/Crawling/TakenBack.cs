using Grains.Storage;

namespace Grains.Crawling;

/// <summary>What a report of a lease leads to: work for the crawl's partition, a row of the host's partition, or neither.</summary>
/// <param name="IsLate">The lease was over before: the report changes nothing.</param>
internal sealed record TakenBack(bool IsLate, HostPartition? Held, IPartitionWork? Work, RowChange? Robots)
{
    public static TakenBack Nothing { get; } = new(IsLate: false, Held: null, Work: null, Robots: null);

    public static TakenBack Late { get; } = new(IsLate: true, Held: null, Work: null, Robots: null);
}
