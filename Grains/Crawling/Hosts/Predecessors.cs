using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Hosts;

/// <summary>
/// What earlier activations of a host handed out. Where their silo is dead, it is not waited for longer than it may last: until no silo
/// that died has a request under way, and each worker of those that live has given up what it holds. Who does not answer is waited for by
/// the horizon.
/// </summary>
/// <param name="isDead">A silo was declared dead.</param>
/// <param name="sinceLastDeath">How long ago the last silo was.</param>
/// <param name="quiet">So long after its death a silo has no request under way.</param>
/// <param name="giveUp">Has each worker give up what it holds of a crawl below a lease.</param>
internal sealed class Predecessors(
    HostCrawls crawls,
    Politeness politeness,
    Func<string?, bool> isDead,
    Func<TimeSpan> sinceLastDeath,
    TimeSpan quiet,
    Func<CrawlId, long, IEnumerable<Task>> giveUp,
    TimeProvider guards
)
{
    /// <summary>Waits until their leases are over, where that may be before their time.</summary>
    /// <param name="now">The time by both clocks.</param>
    /// <param name="ended">Told when they are over before their time.</param>
    public async Task End(Func<HostTime> now, Action ended, CancellationToken stop)
    {
        while (politeness.HasInherited(now()) && crawls.PredecessorsAreDead(isDead))
        {
            // Another silo may die meanwhile: what its workers hold is to end as well.
            var since = sinceLastDeath();
            if (since < quiet)
            {
                await Task.Delay(quiet - since, guards, stop);
                continue;
            }

            await Task.WhenAll(crawls.Open.SelectMany(partition => giveUp(partition.Crawl.Order.Id, partition.Crawl.FirstLease)));
            if (sinceLastDeath() < quiet)
            {
                continue;
            }

            politeness.EndInheritedEarly(now());
            crawls.ForgetPredecessors();
            ended();
        }
    }
}
