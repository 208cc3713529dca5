using System.Collections.Immutable;
using Grains.Interfaces.Orders;

namespace Grains.Orders.Feed;

/// <summary>How committed changes are put into events.</summary>
public static class Announcements
{
    /// <summary>Bytes of changes that an event carries; beyond that it carries revisions only. An event stays below 200 KB.</summary>
    public const int MaxBytes = 160 * 1024;

    /// <summary>Events of one partition that are on their way at once; further ones are left out.</summary>
    public const int MaxInFlight = 64;

    public static OrdersChanged Of(int partition, CommittedChanges committed, ImmutableArray<string> subscribers) =>
        new(partition, committed.Changes[0].Revision, committed.Changes[^1].Revision, committed.Bytes <= MaxBytes ? committed.Changes : [])
        {
            Subscribers = subscribers,
        };
}
