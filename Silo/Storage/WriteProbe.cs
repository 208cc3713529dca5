using Grains.Storage;
using Silo.Endpoints;

namespace Silo.Storage;

/// <summary>
/// Writes a tiny row and a tiny object every <see cref="Period"/>, so that a full disk or a lost right shows in <see cref="WriteHealth"/>
/// before anybody's
/// write fails; and tries the tables again whose last write failed, so that it shows when they recover.
/// </summary>
/// <remarks>It costs one commit, one object and its removal per period. The row is overwritten each time, the object removed.</remarks>
internal sealed partial class WriteProbe(
    ITableStore tables,
    IBlobStore blobs,
    WriteHealth health,
    ListeningEndpoints endpoints,
    TimeProvider clock,
    ILogger<WriteProbe> logger
) : BackgroundService
{
    /// <summary>Between two probes, from start to start.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>For one write; what takes longer counts as failed until it succeeds.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Of each table that is probed.</summary>
    internal const string Partition = "probe";

    private static readonly byte[] Content = new byte[64];

    private string Key => $"{(endpoints.IsFront ? "front" : "silo")}-{endpoints.Instance}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        do
        {
            await Probe(stoppingToken);
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round. What each write comes to is recorded by the stores themselves; here only that one does not end.</summary>
    internal async Task Probe(CancellationToken cancel)
    {
        await Try(DataFormat.Table, bound => tables.Commit(DataFormat.Table, Partition, [RowChange.Put(Key, Content)], bound), cancel);
        foreach (var failing in health.Failing.Where(failing => failing.Part is not WriteHealth.Blobs and not DataFormat.Table))
        {
            // With one delete after it: no other table keeps a row of the probe.
            await Try(failing.Part, bound => tables.Commit(failing.Part, Partition, [RowChange.Put(Key, Content)], bound), cancel);
            await Try(failing.Part, bound => tables.Commit(failing.Part, Partition, [RowChange.Delete(Key)], bound), cancel);
        }

        await Try(WriteHealth.Blobs, bound => Object($"{Partition}/{Key}", bound), cancel);
    }

    private async Task Object(string name, CancellationToken cancel)
    {
        await blobs.Delete(name, cancel);
        await blobs.Put(name, Content, cancel);
        await blobs.Delete(name, cancel);
    }

    private async Task Try(string part, Func<CancellationToken, Task> write, CancellationToken cancel)
    {
        using var bound = new CancellationTokenSource(Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancel);
        try
        {
            await write(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            health.OnFailed(part, new TimeoutException());
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested)
        {
            LogFailed(part, WriteHealth.Reason(failure), failure);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The probe cannot write to {Part}: {Reason}")]
    private partial void LogFailed(string part, string reason, Exception exception);
}
