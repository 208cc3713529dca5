using System.IO.Compression;

namespace Client.Logs;

/// <summary>A file of lines as it lies there, or packed with gzip; then its bytes, and all offsets, are those of what was packed.</summary>
internal sealed class LogFile : IDisposable
{
    private const int Chunk = 64 * 1024;

    private readonly FileStream _file;

    private LogFile(string path, FileStream file)
    {
        (Path, _file) = (System.IO.Path.GetFullPath(path), file);
        IsPacked = file.CanSeek && ReadAt(0, 2) is [0x1f, 0x8b];
        Id = FileStatus.Of(file.SafeFileHandle)?.Id;
    }

    public string Path { get; }

    public bool IsPacked { get; }

    /// <summary>The same for every name of this file, as long as it lives; null where the system does not say.</summary>
    public string? Id { get; }

    /// <summary>Whether it can be read twice: a pipe cannot.</summary>
    public bool IsKept => _file.CanSeek;

    /// <summary>In bytes; 0 of a packed file, which only reading tells.</summary>
    public long Length => IsPacked || !IsKept ? 0 : _file.Length;

    /// <exception cref="ConsoleException">It cannot be opened.</exception>
    public static LogFile Open(string path)
    {
        try
        {
            return new(path, new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0));
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException)
        {
            throw new ConsoleException($"\"{path}\" cannot be read: {reason.Message}", cause: reason);
        }
    }

    /// <summary>The same; null when there is no file of this name.</summary>
    public static LogFile? OpenIfThere(string path) => File.Exists(path) ? Open(path) : null;

    /// <summary>The same; null when it cannot be read as a file: it has gone, is another user's, or is a pipe.</summary>
    public static LogFile? OpenIfReadable(string path)
    {
        if (!File.Exists(path) || FileStatus.Of(path) is { IsRegular: false })
        {
            return null;
        }

        try
        {
            return Open(path);
        }
        catch (ConsoleException)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>
    /// A stream of what follows <paramref name="offset"/>; one at a time. Of a packed file all before it is unpacked and dropped.
    /// </summary>
    public Stream From(long offset)
    {
        if (!IsKept)
        {
            return _file;
        }

        _file.Seek(IsPacked ? 0 : offset, SeekOrigin.Begin);
        if (!IsPacked)
        {
            return _file;
        }

        var unpacked = new GZipStream(_file, CompressionMode.Decompress, leaveOpen: true);
        Skip(unpacked, offset);
        return unpacked;
    }

    /// <summary>So many bytes from there on, or those that there are; without moving in a file that is not packed.</summary>
    public byte[] ReadAt(long offset, int count)
    {
        var bytes = new byte[count];
        if (!IsPacked)
        {
            return bytes[..RandomAccess.Read(_file.SafeFileHandle, bytes, offset)];
        }

        using var unpacked = From(offset);
        return bytes[..unpacked.ReadAtLeast(bytes, count, throwOnEndOfStream: false)];
    }

    /// <summary>
    /// Whether this is the file that the state tells of, by its content: as long at least, and the same where it began and where sending
    /// stopped.
    /// </summary>
    public bool Is(SendState state)
    {
        try
        {
            return IsPacked
                ? IsPackedOf(state)
                : Length >= state.End
                    && Hashes(state, ReadAt(0, state.BeginningLength), ReadAt(state.Done - state.EndingLength, state.EndingLength));
        }
        catch (Exception broken) when (broken is InvalidDataException or IOException)
        {
            // It is being packed at this moment, or damaged: the file that it came from cannot be recognised in it.
            return false;
        }
    }

    /// <summary>
    /// Whether an open file still has the bytes that were read of it, at its beginning and before <paramref name="end"/>: it was not cut
    /// and written anew.
    /// </summary>
    public bool Has(ReadOnlySpan<byte> beginning, ReadOnlySpan<byte> ending, long end) =>
        _file.Length >= end
        && ReadAt(0, beginning.Length).AsSpan().SequenceEqual(beginning)
        && ReadAt(end - ending.Length, ending.Length).AsSpan().SequenceEqual(ending);

    /// <summary>
    /// Whether the name is this file's still. Where the system does not tell files apart, one that is longer than this is another.
    /// </summary>
    public bool IsNamed(string path)
    {
        if (Id is not null)
        {
            return FileStatus.Of(path)?.Id == Id;
        }

        var now = new FileInfo(path);
        return now.Exists && now.Length <= _file.Length;
    }

    private bool IsPackedOf(SendState state)
    {
        var beginning = ReadAt(0, state.BeginningLength);
        if (!state.IsOf(beginning))
        {
            return false;
        }

        using var rest = From(state.Done - state.EndingLength);
        var ending = new byte[state.EndingLength];
        rest.ReadExactly(ending);
        Skip(rest, state.End - state.Done);
        return Hashes(state, beginning, ending);
    }

    private static bool Hashes(SendState state, byte[] beginning, byte[] ending) =>
        state.IsOf(beginning) && ending.Length == state.EndingLength && (state.EndingLength == 0 || SendState.Hash(ending) == state.Ending);

    /// <exception cref="EndOfStreamException">It ends before.</exception>
    private static void Skip(Stream stream, long count)
    {
        var dropped = new byte[Chunk];
        for (var left = count; left > 0; )
        {
            var read = stream.Read(dropped, 0, (int)Math.Min(left, Chunk));
            left -= read > 0 ? read : throw new EndOfStreamException();
        }
    }
}
