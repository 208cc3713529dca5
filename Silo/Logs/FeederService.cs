using Grains.Logs.Intake;

namespace Silo.Logs;

/// <summary>
/// Hands in what a feeder gathers while the silo runs. What waits when the silo stops is handed in first, within
/// <see cref="LogFeeder.LastWords"/>: its grains stop after this. What is left then is
/// elsewhere too: each feeder tells of something that has a record of its own, which is the one that counts.
/// </summary>
internal class FeederService(LogFeeder feeder) : BackgroundService
{
    protected LogFeeder Feeder => feeder;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        feeder.Complete();
        await (ExecuteTask ?? Task.CompletedTask)
            .WaitAsync(LogFeeder.LastWords, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await feeder.Run(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // As the summary says.
        }
    }
}
