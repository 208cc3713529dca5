using Grains.Crawling.Workers;

namespace Doubles.Crawling;

/// <summary>The silo is a member of its cluster whenever somebody asks.</summary>
public sealed class AlwaysMember : IMembershipLease
{
    public Task<T> Hold<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancel) => work(cancel);
}
