using Grains.Crawling.Cookies;
using Grains.Crawling.Fetching;
using Grains.Crawling.Frontier;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Workers;

/// <summary>
/// What a lease is for, from the grant to what is to be reported: the URL's grain is asked, the page is fetched and read within the time of
/// the lease, and
/// links and cookies for other hosts are durable there before it answers. Not thread-safe: it belongs to a grain and runs on its scheduler.
/// </summary>
/// <param name="notDelivered">Told when links or cookies could not be delivered: the page is reported as one to be tried again.</param>
internal sealed class LeaseRunner(
    PageVisitor visitor,
    CrawlGrains grains,
    DomainCookies cookies,
    IMembershipLease membership,
    TimeProvider guards,
    Action<string, CrawlId, Exception> notDelivered
)
{
    private readonly CrawlBoundaries _boundaries = new();
    private readonly LinkDelivery _links = new(grains);
    private readonly CookieDelivery _cookies = new(cookies, grains);

    /// <param name="asked">When the lease was asked for (<see cref="TimeProvider.GetTimestamp"/>): its time runs from there.</param>
    public async Task<Visit> Run(HostKey host, CrawlOrder order, Lease lease, long asked, CancellationToken cancel)
    {
        if (lease.Kind == LeaseKind.Robots)
        {
            return await Ask(host, order, lease, asked, (left, stop) => visitor.VisitRobots(order, lease, left, stop), cancel);
        }

        var grant = await grains.Url(lease.Url).Grant(order.Id, lease.Number, cancel);
        if (grant.Answer != UrlGrantAnswer.Granted)
        {
            return Visit.Released(order, lease, grant.Answer == UrlGrantAnswer.Done ? FetchResult.Known : FetchResult.Released);
        }

        var visit = await Ask(
            host,
            order,
            lease,
            asked,
            (left, stop) => visitor.Visit(order, _boundaries.Of(order), lease, left, stop),
            cancel
        );
        return visit.Foreign.Count == 0 && visit.DomainCookies.IsEmpty ? visit : await Deliver(host, order, visit, cancel);
    }

    /// <summary>Asks the web, within the time of the lease and while this silo is known to be a member of its cluster.</summary>
    private async Task<Visit> Ask(
        HostKey host,
        CrawlOrder order,
        Lease lease,
        long asked,
        Func<TimeSpan, CancellationToken, Task<Visit>> visit,
        CancellationToken cancel
    )
    {
        try
        {
            return await membership.Hold(
                stop =>
                    TimeLeft(lease, asked) is var left && left > TimeSpan.Zero
                        ? Begun(host, order, lease, visit(left, stop))
                        : Task.FromResult(Visit.Released(order, lease)),
                cancel
            );
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Visit.Released(order, lease); // Others may ask the host by now.
        }
    }

    /// <summary>The request is on its way: the host may count from here.</summary>
    private async Task<Visit> Begun(HostKey host, CrawlOrder order, Lease lease, Task<Visit> visit)
    {
        if (lease.TellBegun)
        {
            await grains.Host(host).Begun(order.Id, lease.Number);
        }

        return await visit;
    }

    /// <summary>
    /// Cookies and links for other hosts become durable there before the page is reported, cookies first: a link may need them. When that
    /// fails, the page is tried again later.
    /// </summary>
    private async Task<Visit> Deliver(HostKey host, CrawlOrder order, Visit visit, CancellationToken cancel)
    {
        try
        {
            var cut = await _cookies.Deliver(order.Id, host, visit, cancel);
            var refused = await _links.Deliver(order, visit.Foreign, cancel);
            return visit with { Outcome = refused.In(visit.Outcome) with { CookiesCut = visit.Outcome.CookiesCut + cut } };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            notDelivered(visit.Outcome.Url, order.Id, e);
            return visit with { Outcome = visit.Outcome with { Result = FetchResult.Temporary, Reason = Refusals.Delivery, Links = [] } };
        }
    }

    private TimeSpan TimeLeft(Lease lease, long asked) => lease.For - guards.GetElapsedTime(asked);
}
