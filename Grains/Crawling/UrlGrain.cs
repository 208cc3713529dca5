using Grains.Interfaces.Crawling;
using Orleans.Placement;

namespace Grains.Crawling;

/// <summary>The identity of one URL: <see cref="UrlGrants"/> decides who may fetch it; what a fetch learned is stored.</summary>
/// <remarks>
/// A grant is not stored: a lease ends by time, its worker checks it before it connects, and its number is higher than any before.
/// What is stored is what must outlive the minute or two in which the grain is in memory.
/// </remarks>
[PreferLocalPlacement]
[CollectionAgeLimit(Minutes = 2)]
[GrainType("url")]
public sealed class UrlGrain([PersistentState("url", UrlGrants.Storage)] IPersistentState<UrlGrants> state) : Grain, IUrlGrain
{
    public Task<UrlGrant> Grant(CrawlId crawl, long lease, CancellationToken cancel) =>
        Task.FromResult(new UrlGrant(state.State.Grant(crawl, lease), state.State.Facts));

    public async Task Learn(CrawlId crawl, long lease, UrlFacts facts, CancellationToken cancel)
    {
        if (!state.State.Learn(crawl, facts))
        {
            return;
        }

        try
        {
            await state.WriteStateAsync(cancel);
        }
        catch
        {
            DeactivateOnIdle();
            throw;
        }
    }
}
