namespace Silo.Storage;

/// <summary>
/// Second names for all objects of a <see cref="DirectoryBlobStore"/>, as hard links in the folder in which this process writes. An object
/// that is merged away or swept while it is
/// copied keeps its bytes under the second name. The links go when this is disposed, or when the next silo starts after this one was
/// killed.
/// </summary>
internal sealed class LinkedObjects : IDisposable
{
    private readonly string _folder;

    private LinkedObjects(string folder) => _folder = folder;

    /// <summary>The files' paths below the folder of objects, in order of their bytes.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>
    /// Links every object. One that vanishes meanwhile is left out: objects that rows name stay for minutes after the rows were changed.
    /// </summary>
    /// <param name="objects">The folder of objects.</param>
    /// <param name="writing">A folder on the same file system.</param>
    public static LinkedObjects Of(string objects, string writing, CancellationToken cancel)
    {
        var folder = Path.Combine(writing, $"backup-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        try
        {
            var paths = new List<string>();
            foreach (var path in Directory.EnumerateFiles(objects, "*", SearchOption.AllDirectories))
            {
                cancel.ThrowIfCancellationRequested();
                var below = Path.GetRelativePath(objects, path);
                var link = Path.Combine(folder, below);
                Directory.CreateDirectory(Path.GetDirectoryName(link)!);
                if (OperatingSystemCalls.Link(path, link))
                {
                    paths.Add(below);
                }
            }

            paths.Sort(StringComparer.Ordinal);
            return new(folder) { Paths = paths };
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public string Find(string path) => Path.Combine(_folder, path);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
