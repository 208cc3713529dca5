using Microsoft.Extensions.Options;
using Silo.Storage;

namespace Silo.StartUp;

/// <summary>The folder of the data is there, or can be made, and can be written.</summary>
public sealed class DataFolderCheck(IOptions<StorageOptions> storage) : IStartUpCheck
{
    public async Task Run(CancellationToken cancel)
    {
        var folder = storage.Value.FullPath;
        try
        {
            Directory.CreateDirectory(folder);
            await Write(Path.Combine(folder, $".write-check-{Environment.ProcessId}"), cancel);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new StartUpException(
                $"The data folder {folder} (Storage:Path) cannot be written: {Reason(folder, failure)}. Give a folder that can, with --Storage:Path.", failure);
        }
    }

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
        await using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        await stream.WriteAsync(new byte[] { 1 }, cancel);
        await stream.FlushAsync(cancel);
    }
}
