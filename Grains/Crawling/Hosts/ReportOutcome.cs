using Grains.Storage;

namespace Grains.Crawling.Hosts;

/// <summary>What a report of a lease leads to: work for the crawl's partition, a row of the host's partition, or neither.</summary>
/// <param name="IsLate">The lease was over before: the report changes nothing.</param>
internal sealed record ReportOutcome(bool IsLate, HostPartition? Partition, IPartitionWork? Work, RowChange? Robots)
{
    /// <summary>The host is asked more slowly from now on, or not for a while: a successor is to know.</summary>
    public bool IsSlower { get; init; }

    public static ReportOutcome Nothing { get; } = new(IsLate: false, Partition: null, Work: null, Robots: null);

    public static ReportOutcome Late { get; } = new(IsLate: true, Partition: null, Work: null, Robots: null);
}
