using System.Collections.Concurrent;
using Doubles;
using Grains.Interfaces.Crawling;
using Orleans.Streams;
using Orleans.Streams.Core;
using Xunit;

namespace Cluster.Crawling;

[Alias("Cluster.IPagesListener")]
public interface IPagesListener : IGrainWithIntegerKey;

/// <summary>Somebody who wants to know what became of pages.</summary>
[ImplicitStreamSubscription(CrawlStreams.Pages)]
public sealed class PagesListener : Grain, IPagesListener, IStreamSubscriptionObserver
{
    /// <summary>What was heard, by crawl.</summary>
    public static ConcurrentDictionary<CrawlId, ConcurrentQueue<PageRecord>> Heard { get; } = new();

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<PagesFinished>()
            .ResumeAsync(events =>
            {
                foreach (var finished in events)
                {
                    foreach (var page in finished.Item.Pages)
                    {
                        Heard.GetOrAdd(finished.Item.Crawl, _ => new()).Enqueue(page);
                    }
                }

                return Task.CompletedTask;
            });
}

public sealed class AnnouncementTests(CrawlCluster cluster) : IClassFixture<CrawlCluster>
{
    [Fact]
    public async Task WhatBecameOfEachPageIsAnnouncedOnce()
    {
        var root = $"http://{cluster.NewHost()}/";
        cluster.Web.Add(root, SiteAnswer.Links("/1", "/2", "/gone"));
        cluster.Web.Add(root + "1", SiteAnswer.Html("<title>One</title>"));
        cluster.Web.Add(root + "2", SiteAnswer.Html("<title>Two</title>"));

        var crawl = await cluster.Start(new CrawlSpec { Seeds = [root], Delay = TimeSpan.Zero });
        var summary = await cluster.Ended(crawl);
        await VirtualClock.StandUntil("four pages to be announced", () =>
            PagesListener.Heard.TryGetValue(summary.Id, out var heard) && heard.Count >= 4
        );

        Assert.Equal(
            [(root, 200, "Links"), (root + "1", 200, "One"), (root + "2", 200, "Two"), (root + "gone", 404, null)],
            PagesListener
                .Heard[summary.Id]
                .OrderBy(page => page.Url, StringComparer.Ordinal)
                .Select(page => (page.Url, page.Status!.Value, page.Title))
        );
    }
}
