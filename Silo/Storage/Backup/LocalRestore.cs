using Microsoft.Data.Sqlite;
using Silo.StartUp;

namespace Silo.Storage.Backup;

/// <summary>Makes a data folder of a backup.</summary>
/// <remarks>
/// Every file is compared with the manifest while it is copied: a file of another backup, one that is cut off, one that is missing and one
/// too many are each refused, and nothing is left
/// behind. Files are copied aside first, and get their places when all are good, the tables last: a silo does not start on objects without
/// tables.
/// </remarks>
internal static class LocalRestore
{
    private const string Aside = ".restore";

    /// <summary>Restores a backup into a data folder that does not exist or is empty.</summary>
    /// <param name="backup">The folder of the backup.</param>
    /// <param name="data">The data folder, absolute.</param>
    /// <exception cref="BackupRefusedException">The backup or the data folder cannot be used; nothing was changed.</exception>
    public static BackupManifest Run(string backup, string data, CancellationToken cancel)
    {
        var manifest = BackupManifest.Read(backup);
        if (manifest.DataVersion > DataFormat.VersionOn(StorageKind.Local))
        {
            throw new BackupRefusedException(
                $"The backup holds data of version {manifest.DataVersion}, and this silo, {About.Version}, reads up to version "
                    + $"{DataFormat.VersionOn(StorageKind.Local)}: use silo {manifest.Silo} or a newer one."
            );
        }

        RefuseOthers(backup, manifest);
        var aside = Path.Combine(data, Aside);
        try
        {
            Directory.CreateDirectory(data);
            if (Directory.EnumerateFileSystemEntries(data).FirstOrDefault(entry => Path.GetFileName(entry) != Aside) is { } there)
            {
                throw new BackupRefusedException(
                    $"The data folder \"{data}\" is not empty (it has \"{Path.GetFileName(there)}\"). Restore into an empty one, with "
                        + "--Storage:Path."
                );
            }

            OperatingSystemCalls.ClosePrivately(data);
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true); // Left by a restore that was interrupted.
            }

            Directory.CreateDirectory(aside);
            try
            {
                Copy(backup, manifest, aside, cancel);
                ForgetMembers(Path.Combine(aside, LocalBackup.Tables), manifest.Cluster);
                LocalBackup.FlushFolders(aside);
                TakePlaces(aside, data);
            }
            finally
            {
                Directory.Delete(aside, recursive: true);
            }

            OperatingSystemCalls.FlushFolder(data);
            return manifest;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw new BackupRefusedException($"The data folder \"{data}\" could not be written: {failure.Message}", failure);
        }
    }

    /// <summary>What the manifest does not name comes from somewhere else.</summary>
    private static void RefuseOthers(string backup, BackupManifest manifest)
    {
        var named = manifest.Files.Select(file => file.Path).Append(BackupManifest.FileName).ToHashSet(StringComparer.Ordinal);
        var other = Directory
            .EnumerateFiles(backup, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(backup, path).Replace(Path.DirectorySeparatorChar, '/'))
            .FirstOrDefault(path => !named.Contains(path));
        if (other is not null)
        {
            throw new BackupRefusedException(
                $"\"{other}\" in \"{backup}\" does not belong to backup {manifest.Id}: files of several backups, or others, are "
                    + "mixed. Use an unmixed backup."
            );
        }
    }

    private static void Copy(string backup, BackupManifest manifest, string aside, CancellationToken cancel)
    {
        foreach (var file in manifest.Files)
        {
            var from = file.Below(backup);
            if (!File.Exists(from))
            {
                throw new BackupRefusedException(
                    $"\"{file.Path}\" of backup {manifest.Id} is missing: the backup is incomplete. Use another."
                );
            }

            var to = file.Below(aside);
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            var (bytes, sha256) = CopiedFile.Copy(from, to, cancel);
            if (bytes != file.Bytes || sha256 != file.Sha256)
            {
                throw new BackupRefusedException(
                    $"\"{file.Path}\" is not the file of backup {manifest.Id}: it is damaged, or from another backup. Use a backup "
                        + "whose files were kept together."
                );
            }
        }
    }

    /// <summary>The members of then are no members of the restored cluster; a silo would wait for those that it cannot reach.</summary>
    private static void ForgetMembers(string tables, string cluster)
    {
        var path = Path.Combine(tables, TableMembershipTable.Table + SqliteTableStore.Extension);
        using (var connection = SqliteConnectionToFile.Open(path, TimeSpan.Zero, cacheKibibytes: 1024))
        {
            var rows = connection.Prepare("DELETE FROM rows WHERE partition = (SELECT id FROM partitions WHERE name = ?1)");
            rows.Bind(1, TableMembershipTable.Partition(cluster)).Step();
            connection.TruncateLog();
        }

        using var written = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        written.Flush(flushToDisk: true);
    }

    private static void TakePlaces(string aside, string data)
    {
        foreach (var entry in Directory.GetDirectories(aside).OrderBy(entry => Path.GetFileName(entry) == LocalBackup.Tables))
        {
            Directory.Move(entry, Path.Combine(data, Path.GetFileName(entry)));
            OperatingSystemCalls.FlushFolder(data);
        }
    }
}
