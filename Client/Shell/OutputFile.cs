using System.Text;

namespace Client.Shell;

/// <summary>A file that a verb writes: whoever finds it finds it whole, or as it was before.</summary>
internal static class OutputFile
{
    /// <summary>
    /// To a file beside it first, which then takes its name. What is no file to replace (a device, a pipe) is written to as it is; of a
    /// symbolic link the file that it names is replaced.
    /// </summary>
    /// <exception cref="ConsoleException">It cannot be written; the message says why.</exception>
    public static Task<T> Write<T>(string file, Func<TextWriter, Task<T>> write) => WriteBytes(file, async stream =>
        {
            await using var writer = new StreamWriter(
                stream,
                new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
                bufferSize: 64 * 1024,
                leaveOpen: true
            );
            var written = await write(writer);
            await writer.FlushAsync();
            return written;
        });

    /// <summary>The same for what is no text.</summary>
    public static async Task<T> WriteBytes<T>(string file, Func<Stream, Task<T>> write)
    {
        try
        {
            var target = Path.GetFullPath(file);
            if (Directory.Exists(target))
            {
                throw new ConsoleException($"\"{file}\" is a folder; name a file in it.", ExitCode.WrongUsage);
            }

            return FileStatus.Of(target) is { IsRegular: false }
                ? await WriteInto(target, FileMode.Open, write)
                : await WriteAside(
                    File.Exists(target) ? File.ResolveLinkTarget(target, returnFinalTarget: true)?.FullName ?? target : target,
                    write
                );
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException($"\"{file}\" cannot be written: {reason.Message}", cause: reason);
        }
    }

    private static async Task<T> WriteAside<T>(string target, Func<Stream, Task<T>> write)
    {
        var aside = $"{target}.{Path.GetRandomFileName()}.partial";
        try
        {
            var written = await WriteInto(aside, FileMode.CreateNew, write);
            File.Move(aside, target, overwrite: true);
            return written;
        }
        finally
        {
            // Where it was moved, and where the folder cannot be written, there is none.
            if (File.Exists(aside))
            {
                File.Delete(aside);
            }
        }
    }

    private static async Task<T> WriteInto<T>(string path, FileMode mode, Func<Stream, Task<T>> write)
    {
        await using var stream = new FileStream(path, mode, FileAccess.Write, FileShare.ReadWrite);
        var written = await write(stream);
        stream.Flush(flushToDisk: true);
        return written;
    }
}
