using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Grains.Interfaces.Logs;
using Grains.Storage;

namespace Grains.Logs.Reading;

/// <summary>
/// Segments as files of this machine, for a database that reads files. Where the store's objects are files, those are taken; else they are
/// copied to a folder of
/// at most so many bytes, from which those not used for longest go, and none that is in use. What is in the folder is found again after a
/// restart.
/// </summary>
public sealed class SegmentCache : IDisposable
{
    /// <summary>Copies at once.</summary>
    private const int Copies = 4;

    private const string Ending = ".parquet";
    private const string Aside = ".aside";

    private readonly IBlobStore _blobs;
    private readonly string _folder;
    private readonly long _maxBytes;
    private readonly SemaphoreSlim _copying = new(Copies, Copies);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Copy> _copies = new(StringComparer.Ordinal);
    private readonly LinkedList<Copy> _byUse = [];
    private bool _opened;
    private long _bytes;

    /// <param name="folder">This process's alone; made when it is first needed.</param>
    public SegmentCache(IBlobStore blobs, string folder, long maxBytes)
    {
        (_blobs, _folder, _maxBytes) = (blobs, folder, maxBytes);
    }

    /// <summary>Bytes of copies that are kept.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>The segments' files, which stay until the answer is disposed, unless the store itself deletes them.</summary>
    /// <exception cref="SegmentsUnreadableException">Some are not there, or are not what was written; all of these are named.</exception>
    /// <exception cref="SegmentsTooLargeException">Together they are larger than the folder may be.</exception>
    public async Task<SegmentFiles> Open(IReadOnlyList<LogSegment> segments, CancellationToken cancel = default)
    {
        if (_blobs is ILocalBlobs local)
        {
            var paths = new string[segments.Count];
            ThrowIfAny([.. segments.Select((segment, at) => Fault(local, segment, out paths[at])).OfType<SegmentFault>()]);
            return new(paths, () => { }, isCopy: false);
        }

        var bytes = segments.Sum(segment => segment.Bytes);
        if (bytes > _maxBytes)
        {
            throw new SegmentsTooLargeException(bytes, _maxBytes);
        }

        var used = new List<Copy>(segments.Count);
        try
        {
            foreach (var segment in segments)
            {
                used.Add(Use(segment));
            }

            var copies = used.Select(copy => copy.Made(() => Make(copy))).ToArray();
            await Task.WhenAll(copies).WaitAsync(cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancel.ThrowIfCancellationRequested();
            var failed = copies.Where(copy => copy.IsFaulted).Select(copy => copy.Exception!.InnerException!).ToArray();
            if (failed.FirstOrDefault(reason => reason is not SegmentsUnreadableException) is { } other)
            {
                ExceptionDispatchInfo.Throw(other);
            }

            ThrowIfAny([.. failed.OfType<SegmentsUnreadableException>().SelectMany(unreadable => unreadable.Faults).Distinct()]);
            return new([.. used.Select(copy => copy.Path)], () => GiveBack(used), isCopy: true);
        }
        catch
        {
            GiveBack(used);
            throw;
        }
    }

    /// <summary>Copies that turned out to be damaged are not used again: the next question has them copied anew.</summary>
    public void Discard(IEnumerable<string> names)
    {
        lock (_lock)
        {
            foreach (var name in names)
            {
                if (_copies.TryGetValue(name, out var copy))
                {
                    copy.IsDiscarded = true;
                    if (copy.Users == 0)
                    {
                        Forget(copy);
                    }
                }
            }
        }
    }

    public void Dispose() => _copying.Dispose();

    private static void ThrowIfAny(ImmutableArray<SegmentFault> faults)
    {
        if (!faults.IsEmpty)
        {
            throw new SegmentsUnreadableException(faults);
        }
    }

    /// <summary>Null: the file is there, has as many bytes as were written, and can be opened.</summary>
    internal static SegmentFault? Fault(ILocalBlobs blobs, LogSegment segment, out string path)
    {
        path = "";
        if (!blobs.TryGetPath(segment.Name, out var found))
        {
            return SegmentFault.Missing(segment.Name);
        }

        path = found;
        try
        {
            var bytes = new FileInfo(path).Length;
            if (bytes != segment.Bytes)
            {
                return new(segment.Name, $"has {bytes} bytes and was written with {segment.Bytes}", MayPass: false);
            }

            using var handle = File.OpenHandle(path);
            return null;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return SegmentFault.Missing(segment.Name);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new(segment.Name, failure is UnauthorizedAccessException ? SegmentFault.Forbidden : "cannot be opened", MayPass: false);
        }
    }

    private Copy Use(LogSegment segment)
    {
        lock (_lock)
        {
            FindAgain();
            if (_copies.TryGetValue(segment.Name, out var found) && found.Users == 0 && found.Bytes != segment.Bytes)
            {
                Forget(found); // Half of it, from before the machine went down.
            }

            if (!_copies.TryGetValue(segment.Name, out var copy))
            {
                copy = new(segment.Name, PathOf(segment.Name), segment.Bytes);
                _copies.Add(segment.Name, copy);
                _bytes += copy.Bytes;
            }
            else if (copy.Place is { } place)
            {
                _byUse.Remove(place);
            }

            copy.Place = _byUse.AddLast(copy);
            copy.Users++;
            MakeRoom();
            return copy;
        }
    }

    /// <summary>Uses the copy itself meanwhile: it stays in its place though everyone who waits for it may leave.</summary>
    private async Task Make(Copy copy)
    {
        lock (_lock)
        {
            copy.Users++;
        }

        var made = false;
        await _copying.WaitAsync();
        try
        {
            if (await _blobs.Get(copy.Name) is not { } content)
            {
                throw new SegmentsUnreadableException([SegmentFault.Missing(copy.Name)]);
            }

            if (content.Length != copy.Bytes)
            {
                throw new SegmentsUnreadableException([
                    new(copy.Name, $"has {content.Length} bytes and was written with {copy.Bytes}", MayPass: false),
                ]);
            }

            var aside = copy.Path + Aside;
            await using (var file = new FileStream(aside, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                await file.WriteAsync(content);
            }

            File.Move(aside, copy.Path, overwrite: true);
            made = true;
        }
        finally
        {
            _copying.Release();
            lock (_lock)
            {
                copy.Users--;
                if (copy.Users == 0 && !made)
                {
                    Forget(copy);
                }

                MakeRoom();
            }
        }
    }

    private void GiveBack(List<Copy> used)
    {
        lock (_lock)
        {
            foreach (var copy in used)
            {
                copy.Users--;
                if (copy.Users == 0 && (copy.Failed || copy.IsDiscarded))
                {
                    Forget(copy);
                }
            }

            used.Clear();
            MakeRoom();
        }
    }

    private void MakeRoom()
    {
        for (var place = _byUse.First; place is not null && _bytes > _maxBytes; )
        {
            var copy = place.Value;
            place = place.Next;
            if (copy.Users == 0)
            {
                Forget(copy);
            }
        }
    }

    private void Forget(Copy copy)
    {
        _copies.Remove(copy.Name);
        _byUse.Remove(copy.Place!);
        _bytes -= copy.Bytes;
        File.Delete(copy.Path);
    }

    /// <summary>What an earlier process copied; half copies go.</summary>
    private void FindAgain()
    {
        if (_opened)
        {
            return;
        }

        Directory.CreateDirectory(_folder);
        foreach (var file in new DirectoryInfo(_folder).EnumerateFiles().OrderBy(file => file.LastAccessTimeUtc).ToArray())
        {
            if (!file.Name.EndsWith(Ending, StringComparison.Ordinal))
            {
                file.Delete();
                continue;
            }

            var copy = new Copy(NameOf(file.Name), file.FullName, file.Length, isThere: true);
            _copies.Add(copy.Name, copy);
            copy.Place = _byUse.AddLast(copy);
            _bytes += copy.Bytes;
        }

        _opened = true;
    }

    /// <summary>A name has slashes; "+" occurs in none (<see cref="StoreLimits.CheckBlobName"/>).</summary>
    private string PathOf(string name) => Path.Combine(_folder, name.Replace('/', '+') + Ending);

    private static string NameOf(string file) => file[..^Ending.Length].Replace('+', '/');

    private sealed class Copy(string name, string path, long bytes, bool isThere = false)
    {
        private Task? _made = isThere ? Task.CompletedTask : null;

        public string Name => name;

        public string Path => path;

        public long Bytes => bytes;

        public int Users { get; set; }

        public LinkedListNode<Copy>? Place { get; set; }

        public bool IsDiscarded { get; set; }

        public bool Failed => _made is { IsFaulted: true };

        /// <summary>Copied once, however many ask.</summary>
        public Task Made(Func<Task> make)
        {
            lock (this)
            {
                return _made = _made is null or { IsFaulted: true } ? make() : _made;
            }
        }
    }
}

/// <summary>Paths of segments, in the order in which they were asked for.</summary>
/// <param name="isCopy">They are this silo's copies of what the store has.</param>
public sealed class SegmentFiles(IReadOnlyList<string> paths, Action giveBack, bool isCopy) : IDisposable
{
    public bool IsCopy => isCopy;

    private Action? _giveBack = giveBack;

    public IReadOnlyList<string> Paths => paths;

    public void Dispose() => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
}

/// <summary>A query asks for more than the cache may hold.</summary>
public sealed class SegmentsTooLargeException(long bytes, long maxBytes)
    : InvalidOperationException(
        $"The segments that this asks for have {bytes} bytes, and Logs:CacheBytes allows {maxBytes}. Ask for a shorter time, or "
            + $"set it higher."
    );
