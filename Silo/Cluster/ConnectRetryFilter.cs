namespace Silo.Cluster;

/// <summary>A front may start before its silos: it looks for one every second, for half a minute.</summary>
internal sealed class ConnectRetryFilter(TimeProvider clock) : IClientConnectionRetryFilter
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly long _since = clock.GetTimestamp();

    public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
    {
        if (clock.GetElapsedTime(_since) > Patience)
        {
            return false;
        }

        await Task.Delay(Pause, clock, cancellationToken);
        return true;
    }
}
