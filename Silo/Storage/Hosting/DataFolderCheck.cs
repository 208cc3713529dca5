using Microsoft.Extensions.Options;
using Silo.StartUp;
using Silo.Storage.Migration;

namespace Silo.Storage.Hosting;

/// <summary>
/// The folder of the data is there, or can be made, and can be written; and no other user of the machine can read it, nor the copies beside
/// it: secrets of
/// webhooks, the audit's private key and personal data are in it.
/// </summary>
public sealed partial class DataFolderCheck(IOptions<StorageOptions> storage, ILogger<DataFolderCheck> logger) : IStartUpCheck
{
    public async Task Run(CancellationToken cancel)
    {
        var folder = storage.Value.FullPath;
        try
        {
            Directory.CreateDirectory(folder);
            Close(folder);
            await Write(Path.Combine(folder, $".write-check-{Environment.ProcessId}"), cancel);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new StartUpException(
                $"The data folder {folder} (Storage:Path) cannot be written: {Reason(folder, failure)}. Give a folder that can, "
                    + $"with --Storage:Path.",
                failure
            );
        }
    }

    /// <summary>What lies in a folder of mode 0700 is closed with it.</summary>
    private void Close(string folder)
    {
        foreach (var one in DataCopy.Of(folder).Prepend(folder))
        {
            try
            {
                if (OperatingSystemCalls.ClosePrivately(one) is { } before)
                {
                    LogClosed(one, Convert.ToString((int)before, 8));
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                LogOpen(one, failure.Message); // A folder of another user, or a file system without modes: it is no worse than before.
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The folder {Folder} was open to other users of this machine (mode {Mode}); it is closed to them now (700)"
    )]
    private partial void LogClosed(string folder, string mode);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The folder {Folder} is open to other users of this machine, and cannot be closed to them: {Why}"
    )]
    private partial void LogOpen(string folder, string why);

    /// <summary>A file where a folder should be is the commonest cause, and the system's message does not say so.</summary>
    private static string Reason(string folder, Exception failure)
    {
        for (var above = folder; above is not null; above = Path.GetDirectoryName(above))
        {
            if (File.Exists(above))
            {
                return $"{above} is a file and not a folder";
            }
        }

        return failure.Message.TrimEnd('.');
    }

    private static async Task Write(string file, CancellationToken cancel)
    {
        await using var stream = new FileStream(
            file,
            FileMode.Create,
            FileAccess.Write,
            FileShare.None,
            bufferSize: 1,
            FileOptions.DeleteOnClose
        );
        await stream.WriteAsync(new byte[] { 1 }, cancel);
        await stream.FlushAsync(cancel);
    }
}
