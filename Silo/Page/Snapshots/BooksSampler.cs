namespace Silo.Page.Snapshots;

/// <summary>
/// Has the books read once a minute for the trend of the last hour, whether somebody looks or not. A reading that takes long is followed by
/// a longer rest (<see cref="Rest"/>).
/// </summary>
/// <param name="read">Reads the books. It does not throw: why they cannot be read is shown to who looks.</param>
internal sealed class BooksSampler(Func<Task> read, TimeProvider guards) : IHostedService, IDisposable
{
    /// <summary>Readings take a thousandth of the time at most.</summary>
    private const int RestShare = 1000;

    private readonly CancellationTokenSource _stopping = new();
    private Task _run = Task.CompletedTask;

    /// <summary>How long to wait after a reading that took so long.</summary>
    public static TimeSpan Rest(TimeSpan took) => took * RestShare > BooksHistory.Step ? took * RestShare : BooksHistory.Step;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _run = Run(_stopping.Token);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _run;
    }

    public void Dispose() => _stopping.Dispose();

    /// <summary>The first sample is taken after one step: a silo that starts has other things to do.</summary>
    private async Task Run(CancellationToken cancel)
    {
        var rest = BooksHistory.Step;
        try
        {
            while (true)
            {
                await Task.Delay(rest, guards, cancel);
                var since = guards.GetTimestamp();
                await read().WaitAsync(cancel);
                rest = Rest(guards.GetElapsedTime(since));
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The process ends.
        }
    }
}
