using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Silo.Storage.Migration;

/// <summary>A copy of a data folder beside it: what an operator puts back when a migration did not do what it should.</summary>
internal static class DataCopy
{
    private const string Unfinished = ".part";

    /// <summary>
    /// Copies <paramref name="folder"/> to <c>folder.vN.bak-YYYYMMDD-HHMMSS</c>: whole and on the disk when it answers, or not there under
    /// that name.
    /// What an interrupted copy left is removed first.
    /// </summary>
    /// <remarks>
    /// Databases are copied by SQLite itself, what is in their logs included, so it does no harm that this process has them open.
    /// </remarks>
    /// <param name="folder">Absolute.</param>
    /// <param name="version">Of the data in it.</param>
    /// <param name="now">For the name, UTC.</param>
    /// <returns>The copy's path.</returns>
    /// <exception cref="IOException">There is no room for it, or it cannot be written.</exception>
    public static string SetAside(string folder, int version, DateTimeOffset now, CancellationToken cancel)
    {
        folder = Path.TrimEndingDirectorySeparator(folder);
        var above = Path.GetDirectoryName(folder) ?? throw new IOException($"\"{folder}\" has no folder above it.");
        var prefix = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(folder)}.v{version}.bak-");
        foreach (var left in Directory.EnumerateDirectories(above, prefix + "*" + Unfinished))
        {
            Directory.Delete(left, recursive: true);
        }

        var copy = Path.Combine(above, string.Create(CultureInfo.InvariantCulture, $"{prefix}{now.UtcDateTime:yyyyMMdd-HHmmss}"));
        try
        {
            Copy(folder, copy + Unfinished, cancel);
        }
        catch
        {
            // What there is of it takes room that may be what is missing.
            Directory.Delete(copy + Unfinished, recursive: true);
            throw;
        }

        Directory.Move(copy + Unfinished, copy);
        OperatingSystemCalls.FlushFolder(above);
        return copy;
    }

    /// <summary>The copies of a folder that lie beside it, unfinished ones included.</summary>
    /// <param name="folder">Absolute.</param>
    public static IEnumerable<string> Of(string folder)
    {
        folder = Path.TrimEndingDirectorySeparator(folder);
        return Path.GetDirectoryName(folder) is { } above
            ? Directory.EnumerateDirectories(above, $"{Path.GetFileName(folder)}.v*.bak-*")
            : [];
    }

    private static void Copy(string from, string to, CancellationToken cancel)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from).Where(file => !IsLog(file)))
        {
            cancel.ThrowIfCancellationRequested();
            var copy = Path.Combine(to, Path.GetFileName(file));
            if (Path.GetExtension(file) == SqliteTableStore.Extension)
            {
                CopyDatabase(file, copy);
            }
            else
            {
                File.Copy(file, copy);
            }

            using var written = new FileStream(copy, FileMode.Open, FileAccess.ReadWrite);
            written.Flush(flushToDisk: true);
        }

        foreach (var below in Directory.EnumerateDirectories(from))
        {
            Copy(below, Path.Combine(to, Path.GetFileName(below)), cancel);
        }

        OperatingSystemCalls.FlushFolder(to);
    }

    /// <summary>What is in a database's log is copied with the database.</summary>
    private static bool IsLog(string file) =>
        Path.GetExtension(file) is SqliteTableStore.Extension + "-wal" or SqliteTableStore.Extension + "-shm";

    private static void CopyDatabase(string from, string to)
    {
        using var source = Open(from, SqliteOpenMode.ReadWrite);
        using var copy = Open(to, SqliteOpenMode.ReadWriteCreate);
        source.BackupDatabase(copy);
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = mode,
                Pooling = false,
            }.ToString()
        );
        connection.Open();
        return connection;
    }
}
