using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Grains.Interfaces.Cluster;
using Microsoft.Extensions.Options;
using Silo.Endpoints;

namespace Silo.Storage.Backup;

/// <summary>Takes backups, one at a time, at whichever silo it is: silos with local data share their folder.</summary>
/// <param name="blobs">Null where the data is in a storage account.</param>
[GrainType("backup")]
public sealed partial class BackupGrain(
    IOptions<StorageOptions> storage,
    IOptions<ClusterOptions> cluster,
    TimeProvider clock,
    ILogger<BackupGrain> logger,
    DirectoryBlobStore? blobs = null
) : Grain, IBackupGrain
{
    private bool _busy;

    public async IAsyncEnumerable<BackupReport> Take(string folder, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (Refusal(folder) is { } refused)
        {
            yield return Refused(new(0, 0), refused);
            yield break;
        }

        _busy = true;
        // Who reads slowly sees the newest report and waits for nothing.
        var reports = Channel.CreateBounded<BackupReport>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var writing = Task.Run(() => Write(folder, reports.Writer, stop.Token), CancellationToken.None);
        try
        {
            await foreach (var report in reports.Reader.ReadAllAsync(stop.Token))
            {
                yield return report;
            }

            yield return await writing;
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)writing).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
            _busy = false;
        }
    }

    private string? Refusal(string folder) =>
        blobs is null
            ? $"The data is in {storage.Value.Place}: copy its tables first and then its blobs, with the tools of Azure and all silos "
                + "stopped (infra/README.md)."
        : _busy ? "Another backup is being taken. Wait until it is complete."
        : LocalBackup.Refusal(folder, storage.Value.FullPath);

    private BackupReport Write(string folder, ChannelWriter<BackupReport> reports, CancellationToken cancel)
    {
        var last = new BackupReport(0, 0);
        try
        {
            var backup = new LocalBackup(storage.Value.FullPath, blobs!, cluster.Value.Id, clock);
            var manifest = backup.Write(folder, (files, bytes) => reports.TryWrite(last = new(files, bytes)), cancel);
            LogTaken(manifest.Id, folder, last.Files, last.Bytes);
            return last with { Outcome = new(manifest.Id, manifest.At, Environment.MachineName, Problem: null) };
        }
        catch (BackupRefusedException refused)
        {
            LogNotTaken(folder, refused.Message);
            return Refused(last, refused.Message);
        }
        finally
        {
            reports.Complete();
        }
    }

    private static BackupReport Refused(BackupReport last, string problem) =>
        last with
        {
            Outcome = new(Id: null, At: null, Environment.MachineName, problem),
        };

    [LoggerMessage(Level = LogLevel.Information, Message = "Took backup {Id} in {Folder}: {Files} files, {Bytes} bytes")]
    private partial void LogTaken(string id, string folder, long files, long bytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No backup was taken in {Folder}: {Reason}")]
    private partial void LogNotTaken(string folder, string reason);
}
