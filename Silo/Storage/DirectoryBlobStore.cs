using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Grains.Storage;

namespace Silo.Storage;

/// <summary>Blobs as files of a folder, for silos of one machine; several processes may share it.</summary>
/// <remarks>
/// <para>An object is written aside, flushed, given its name with one call that fails if the name is taken, and the folder is flushed: so
/// under a name there is a whole object or none,
/// also after a power cut, and of several processes that write one name, one succeeds. At most <see cref="MostWrites"/> writes go on at
/// once; further callers wait.</para>
/// <para>Below <c>objects</c>, a segment of a name that others follow is a folder whose name ends in <c>+</c>, so that <c>a</c> and
/// <c>a/b</c> can both be;
/// a segment above <see cref="LongestPart"/> characters is cut, and each part but the last is a folder whose name ends in <c>,</c>. Neither
/// sign occurs in names.
/// Folders that have become empty stay. On a file system that does not tell upper from lower case, names that differ in nothing else are
/// one.</para>
/// <para>Below <c>writing</c>, each process has a folder of its own and holds a lock on a file beside it; what a process left behind that
/// ended is removed when the next one starts.</para>
/// </remarks>
public sealed class DirectoryBlobStore : IBlobStore, ILocalBlobs, IStorageUsage, IDisposable
{
    private const int MostWrites = 8;
    private const int LongestPart = 200;
    private const char Follows = '+';
    private const char Continues = ',';
    private const string LockExtension = ".lock";

    /// <summary>
    /// Folders that are known to last. When so many are known, all are forgotten, and are flushed again when they are next written to.
    /// </summary>
    private const int MostKnownFolders = 10_000;

    private readonly string _objects;
    private readonly string _writing;
    private readonly FileStream _lock;
    private readonly SemaphoreSlim _writes = new(MostWrites, MostWrites);
    private readonly HashSet<string> _lasting = new(StringComparer.Ordinal);

    private DirectoryBlobStore(string objects, string writing, FileStream @lock)
    {
        _objects = objects;
        _writing = writing;
        _lock = @lock;
    }

    /// <summary>Opens the folder, makes it if need be, and removes what earlier processes left half-written.</summary>
    /// <exception cref="StorageRefusedException">The folder cannot be written.</exception>
    public static DirectoryBlobStore Open(string folder)
    {
        try
        {
            folder = Path.GetFullPath(folder);
            var objects = Path.Combine(folder, "objects");
            var writing = Path.Combine(folder, "writing");
            Directory.CreateDirectory(objects);
            Directory.CreateDirectory(writing);
            OperatingSystemCalls.FlushFolder(folder);
            OperatingSystemCalls.FlushFolder(Path.GetDirectoryName(folder) ?? folder);
            RemoveLeftOvers(writing);

            var mine = Path.Combine(writing, Guid.NewGuid().ToString("N"));
            var @lock = new FileStream(mine + LockExtension, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            Directory.CreateDirectory(mine);

            // A file system without hard links would be noticed at the first write; people want to know at the start.
            var probe = Path.Combine(mine, "probe");
            File.WriteAllBytes(probe, []);
            OperatingSystemCalls.NameIfAbsent(probe, probe + "-named");
            File.Delete(probe);
            File.Delete(probe + "-named");
            return new(objects, mine, @lock);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new StorageRefusedException(
                $"The data folder \"{folder}\" cannot be written ({error.Message}); make it writable for this user, or choose "
                    + $"another with Storage:Path.",
                error
            );
        }
    }

    /// <summary>Second names for all objects, which keep what is removed while it is copied.</summary>
    internal LinkedObjects LinkAll(CancellationToken cancel) => LinkedObjects.Of(_objects, _writing, cancel);

    public async Task<bool> Put(string name, ReadOnlyMemory<byte> content, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        if (content.Length > StoreLimits.MaxBlobBytes)
        {
            throw new ArgumentException(
                $"A blob has at most {StoreLimits.MaxBlobBytes} bytes; \"{name}\" has {content.Length}.",
                nameof(content)
            );
        }

        await _writes.WaitAsync(cancel);
        try
        {
            // Flushing blocks its thread, and there is no other form of it.
            return await Task.Run(() => Write(PathOf(name), content), CancellationToken.None);
        }
        finally
        {
            _writes.Release();
        }
    }

    public async Task<ReadOnlyMemory<byte>?> Get(string name, long offset = 0, int? length = null, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length ?? 0, nameof(length));
        cancel.ThrowIfCancellationRequested();
        try
        {
            using var file = File.OpenHandle(PathOf(name), options: FileOptions.Asynchronous);
            var content = new byte[Math.Max(0, Math.Min(RandomAccess.GetLength(file) - offset, length ?? int.MaxValue))];
            var read = 0;
            while (read < content.Length)
            {
                var some = await RandomAccess.ReadAsync(file, content.AsMemory(read), offset + read, cancel);
                if (some == 0)
                {
                    throw new EndOfStreamException($"Blob \"{name}\" became shorter while it was read.");
                }

                read += some;
            }

            return content;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public async IAsyncEnumerable<BlobEntry> List(string prefix, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask;
        foreach (var entry in Walk(new DirectoryInfo(_objects), "", prefix))
        {
            cancel.ThrowIfCancellationRequested();
            yield return entry;
        }
    }

    public Task Delete(string name, CancellationToken cancel = default)
    {
        StoreLimits.CheckBlobName(name);
        cancel.ThrowIfCancellationRequested();
        var path = PathOf(name);
        if (File.Exists(path))
        {
            File.Delete(path);
            OperatingSystemCalls.FlushFolder(Path.GetDirectoryName(path)!);
        }

        return Task.CompletedTask;
    }

    public bool TryGetPath(string name, [NotNullWhen(true)] out string? path)
    {
        StoreLimits.CheckBlobName(name);
        path = PathOf(name);
        return File.Exists(path);
    }

    public ValueTask<IReadOnlyList<StorageShare>> Measure(CancellationToken cancel = default)
    {
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var entry in Walk(new DirectoryInfo(_objects), "", ""))
        {
            cancel.ThrowIfCancellationRequested();
            var slash = entry.Name.IndexOf('/', StringComparison.Ordinal);
            var first = slash < 0 ? entry.Name : entry.Name[..slash];
            bytes[first] = bytes.GetValueOrDefault(first) + entry.Bytes;
        }

        return ValueTask.FromResult<IReadOnlyList<StorageShare>>([
            .. bytes
                .Select(pair => new StorageShare(pair.Key, pair.Value))
                .OrderByDescending(share => share.Bytes)
                .ThenBy(share => share.Name, StringComparer.Ordinal),
        ]);
    }

    /// <summary>To be called when no write is going on. What stays behind is removed when the folder is next opened.</summary>
    public void Dispose()
    {
        if (Directory.Exists(_writing))
        {
            Directory.Delete(_writing, recursive: true);
        }

        File.Delete(_lock.Name);
        _lock.Dispose();
        _writes.Dispose();
    }

    private static void RemoveLeftOvers(string writing)
    {
        foreach (var file in Directory.EnumerateFiles(writing, "*" + LockExtension))
        {
            try
            {
                using (new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                    var folder = file[..^LockExtension.Length];
                    if (Directory.Exists(folder))
                    {
                        Directory.Delete(folder, recursive: true);
                    }

                    File.Delete(file);
                }
            }
            catch (IOException)
            {
                // Another process holds it and is at work, or has just removed it.
            }
        }
    }

    private bool Write(string path, ReadOnlyMemory<byte> content)
    {
        var folder = Path.GetDirectoryName(path)!;
        MakeLasting(folder);
        if (File.Exists(path))
        {
            // Whoever wrote it may not have flushed the folder yet; "taken" is an answer to rely on too.
            OperatingSystemCalls.FlushFolder(folder);
            return false;
        }

        var aside = Path.Combine(_writing, Guid.NewGuid().ToString("N"));
        try
        {
            using (var file = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                file.Write(content.Span);
                file.Flush(flushToDisk: true);
            }

            var named = OperatingSystemCalls.NameIfAbsent(aside, path);
            OperatingSystemCalls.FlushFolder(folder);
            return named;
        }
        finally
        {
            File.Delete(aside);
        }
    }

    /// <summary>Makes a folder with those above it, and flushes each one's name in the one above.</summary>
    private void MakeLasting(string folder)
    {
        lock (_lasting)
        {
            if (folder == _objects || _lasting.Contains(folder))
            {
                return;
            }
        }

        var above = Path.GetDirectoryName(folder)!;
        MakeLasting(above);
        Directory.CreateDirectory(folder);
        OperatingSystemCalls.FlushFolder(above);
        lock (_lasting)
        {
            if (_lasting.Count >= MostKnownFolders)
            {
                _lasting.Clear();
            }

            _lasting.Add(folder);
        }
    }

    private string PathOf(string name)
    {
        var path = _objects;
        var rest = name.AsSpan();
        while (true)
        {
            var slash = rest.IndexOf('/');
            var segment = slash < 0 ? rest : rest[..slash];
            while (segment.Length > LongestPart)
            {
                path = Path.Combine(path, $"{segment[..LongestPart]}{Continues}");
                segment = segment[LongestPart..];
            }

            if (slash < 0)
            {
                return Path.Combine(path, segment.ToString());
            }

            path = Path.Combine(path, $"{segment}{Follows}");
            rest = rest[(slash + 1)..];
        }
    }

    /// <summary>The objects below a folder, in order of their names, whose names start with <paramref name="before"/>.</summary>
    private static IEnumerable<BlobEntry> Walk(DirectoryInfo folder, string before, string prefix)
    {
        var inside = new List<(string Name, FileSystemInfo Info)>();
        var ordered = true;
        foreach (var info in Inside(folder))
        {
            var name =
                before
                + info.Name switch
                {
                    [.. var segment, Follows] => segment + "/",
                    [.. var part, Continues] => part,
                    var last => last,
                };
            ordered &= info.Name[^1] != Continues;
            if (
                name.StartsWith(prefix, StringComparison.Ordinal)
                || (info is DirectoryInfo && prefix.StartsWith(name, StringComparison.Ordinal))
            )
            {
                inside.Add((name, info));
            }
        }

        inside.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        var entries = inside.SelectMany(entry =>
            entry.Info is DirectoryInfo deeper ? Walk(deeper, entry.Name, prefix)
            : LengthOf((FileInfo)entry.Info) is { } bytes ? [new BlobEntry(entry.Name, bytes)]
            : Enumerable.Empty<BlobEntry>()
        );

        // A segment that was cut lies beside another of the same beginning, and their objects' names alternate.
        return ordered ? entries : entries.OrderBy(entry => entry.Name, StringComparer.Ordinal);
    }

    /// <summary>The bytes of a file that was listed a moment ago; null when it is gone since.</summary>
    internal static long? LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>What a folder holds; nothing when it is gone since it was listed.</summary>
    private static FileSystemInfo[] Inside(DirectoryInfo folder)
    {
        try
        {
            return folder.GetFileSystemInfos();
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
