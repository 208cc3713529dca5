using Grains.Interfaces.Crawling;
using Grains.Interfaces.Logs;
using Grains.Logs.Intake;
using Microsoft.Extensions.Options;
using Orleans.Streams;
using Orleans.Streams.Core;

namespace Grains.Logs;

/// <summary>
/// Listens to what became of pages and puts it into the log, as the service <see cref="CrawlLog.Service"/>. The record that counts is the
/// crawl's own: an announcement that is lost with
/// its silo is in the crawl's export and not here.
/// </summary>
[ImplicitStreamSubscription(CrawlStreams.Pages)]
[GrainType("crawllog")]
public sealed class CrawlLogGrain(IOptions<LogsOptions> options, CrawlLog log) : Grain, ICrawlLogGrain, IStreamSubscriptionObserver
{
    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory
            .Create<PagesFinished>()
            .ResumeAsync(events =>
            {
                if (options.Value.Crawls)
                {
                    foreach (var finished in events)
                    {
                        log.Add(finished.Item);
                    }
                }

                return Task.CompletedTask;
            });
}
