using Grains.Logs;
using Grains.Logs.Intake;

namespace Silo.Logs;

/// <summary>Hands in what crawls said, while the silo runs.</summary>
internal sealed class CrawlFeed(CrawlLog log) : BackgroundService
{
    /// <summary>What waits is handed in first, within <see cref="LogFeeder.LastWords"/>: the silo's grains stop after this.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        log.Feeder.Complete();
        await Task.WhenAny(ExecuteTask ?? Task.CompletedTask, Task.Delay(LogFeeder.LastWords, cancellationToken));
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await log.Feeder.Run(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What waits here is in the crawl's own record, which is the one that counts.
        }
    }
}
