using System.Collections.Immutable;
using Grains.Logs.Rows;
using Microsoft.Data.Sqlite;
using Silo.StartUp;

namespace Silo.Storage.Backup;

/// <summary>Copies a data folder while silos work on it: all rows as they were at one moment, and every object that they name.</summary>
/// <remarks>
/// Rows come first (<see cref="SqliteSnapshots"/>), then links to the objects (<see cref="LinkedObjects"/>), both before anything is
/// copied. A row of the snapshot names an object that
/// was there at that moment, and an object stays for <see cref="LogPartition.ReadersNeed"/> after the last row that named it: so links that
/// were made sooner hold all of them.
/// </remarks>
/// <param name="data">The data folder, absolute.</param>
internal sealed class LocalBackup(string data, DirectoryBlobStore blobs, string cluster, TimeProvider clock)
{
    internal const string Tables = "tables";

    internal const string Objects = "blobs/objects";

    /// <summary>Mails that a silo without a mail server wrote.</summary>
    internal const string Mails = "mail";

    /// <summary>Why nothing can be written into a folder, in a sentence; null when it can.</summary>
    /// <param name="data">The data folder, absolute.</param>
    public static string? Refusal(string folder, string data) =>
        !Path.IsPathFullyQualified(folder) ? $"\"{folder}\" is not an absolute path on this machine."
        : IsWithin(folder, data) || IsWithin(data, folder)
            ? $"\"{folder}\" and the data folder \"{data}\" are one inside the other: choose a folder elsewhere, on another disk if "
                + "there is one."
        : File.Exists(folder) ? $"\"{folder}\" is a file: choose a folder that does not exist or is empty."
        : Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()
            ? $"\"{folder}\" is not empty: choose a folder that does not exist or is empty."
        : null;

    /// <summary>Writes the backup; what there is of it is removed when it fails.</summary>
    /// <param name="folder">One that <see cref="Refusal"/> does not refuse.</param>
    /// <param name="copied">Told after each file: files and bytes so far.</param>
    /// <exception cref="BackupRefusedException">It cannot be made.</exception>
    public BackupManifest Write(string folder, Action<long, long> copied, CancellationToken cancel)
    {
        try
        {
            Directory.CreateDirectory(folder);
            OperatingSystemCalls.ClosePrivately(folder);
            return Fill(folder, copied, cancel);
        }
        catch (Exception failure)
        {
            Remove(folder);
            throw failure is IOException or UnauthorizedAccessException or SqliteException
                ? new BackupRefusedException(
                    $"The backup could not be written: {failure.Message} Nothing of it was left in \"{folder}\".",
                    failure
                )
                : failure;
        }
    }

    private BackupManifest Fill(string folder, Action<long, long> copied, CancellationToken cancel)
    {
        var since = clock.GetTimestamp();
        using var snapshots = SqliteSnapshots.Open(Path.Combine(data, Tables), cancel);
        var at = clock.GetUtcNow();
        using var objects = blobs.LinkAll(cancel);
        if (clock.GetElapsedTime(since) >= LogPartition.ReadersNeed)
        {
            throw new BackupRefusedException(
                $"Linking {objects.Paths.Count:N0} objects took more than {LogPartition.ReadersNeed.TotalMinutes:0} minutes, so that "
                    + "some that rows name may be gone. Take the backup again at a quieter time."
            );
        }

        var files = ImmutableArray.CreateBuilder<BackupFile>();
        var bytes = 0L;
        void Add(string path, (long Bytes, string Sha256) file)
        {
            files.Add(new(path, file.Bytes, file.Sha256));
            copied(files.Count, bytes += file.Bytes);
        }

        foreach (var table in snapshots.Paths)
        {
            var path = $"{Tables}/{Path.GetFileName(table)}";
            var copy = Place(folder, path);
            snapshots.Copy(table, copy, cancel);
            Add(path, CopiedFile.Measure(copy, cancel));
        }

        foreach (var name in objects.Paths)
        {
            var path = $"{Objects}/{name.Replace(Path.DirectorySeparatorChar, '/')}";
            Add(path, CopiedFile.Copy(objects.Find(name), Place(folder, path), cancel));
        }

        foreach (var mail in MailsIn(Path.Combine(data, Mails)))
        {
            var path = $"{Mails}/{Path.GetFileName(mail)}";
            var copy = Place(folder, path);
            try
            {
                Add(path, CopiedFile.Copy(mail, copy, cancel));
            }
            catch (FileNotFoundException)
            {
                // Picked up since it was listed: it was sent.
            }
        }

        FlushFolders(folder);
        files.Sort(static (one, other) => string.CompareOrdinal(one.Path, other.Path));
        var manifest = new BackupManifest(
            BackupManifest.CurrentForm,
            Guid.NewGuid().ToString("N"),
            cluster,
            DataFormat.VersionOn(StorageKind.Local),
            About.Version,
            at,
            files.ToImmutable()
        );
        manifest.Write(folder);
        OperatingSystemCalls.FlushFolder(Path.GetDirectoryName(folder)!);
        return manifest;
    }

    /// <summary>Files that stand under their last name; a mail is written under one that begins with a dot.</summary>
    private static IEnumerable<string> MailsIn(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.eml").Where(file => !Path.GetFileName(file).StartsWith('.')) : [];

    private static string Place(string folder, string path)
    {
        var place = new BackupFile(path, 0, "").Below(folder);
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        return place;
    }

    internal static void FlushFolders(string folder)
    {
        foreach (var below in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories).Prepend(folder))
        {
            OperatingSystemCalls.FlushFolder(below);
        }
    }

    private static void Remove(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        // The folder itself may be a mount, or the operator's own.
        foreach (var below in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            if (below is DirectoryInfo deeper)
            {
                deeper.Delete(recursive: true);
            }
            else
            {
                below.Delete();
            }
        }
    }

    private static bool IsWithin(string inner, string outer)
    {
        var relative = Path.GetRelativePath(outer, inner);
        return relative == "."
            || !(
                relative == ".."
                || relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                || Path.IsPathRooted(relative)
            );
    }
}
