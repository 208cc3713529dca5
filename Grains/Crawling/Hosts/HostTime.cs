namespace Grains.Crawling.Hosts;

/// <summary>One moment by the two clocks of a silo (<see cref="Clocks"/>). They agree in production.</summary>
/// <param name="Schedule">For when a host may be asked, and when a URL or robots.txt is due.</param>
/// <param name="Guards">For when leases end.</param>
internal readonly record struct HostTime(DateTimeOffset Schedule, DateTimeOffset Guards)
{
    /// <summary>The schedule's instant at which the guards' clock shows <paramref name="guard"/>, if both go on alike from here.</summary>
    public DateTimeOffset ScheduleAt(DateTimeOffset guard) => Schedule + (guard - Guards);
}
