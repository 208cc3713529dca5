using Grains.Interfaces.Crawling;

namespace Silo.Crawling;

/// <summary>
/// Wakes what sleeps: when the silo starts, and every few seconds after, the crawl list is told to wake its crawls, and they their hosts.
/// Nobody holds a grain in memory after a crash; the list is found by its key.
/// </summary>
internal sealed partial class CrawlWaker(IGrainFactory grains, TimeProvider clock, ILogger<CrawlWaker> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            try
            {
                await grains.GetGrain<ICrawlListGrain>(0).Wake(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotWoken(e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Crawls could not be woken and will be tried again")]
    private partial void LogNotWoken(Exception exception);
}
