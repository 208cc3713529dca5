using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Silo.Storage.Backup;

/// <summary>All tables of a folder as they were at one moment, while silos go on writing them.</summary>
/// <remarks>
/// <para>Each file's write lock is taken, in order of the names; while all are held, a reader begins in each file; then the locks are
/// released. Commits wait for that long, some
/// milliseconds. In WAL mode a reader sees its file as it was when it began, so all readers together see one moment.</para>
/// <para>While a reader is open, its file's log cannot be emptied: when it has grown to <c>SqliteWriter</c>'s bound of 64 MB, commits wait
/// until the reader is closed. So each table's
/// reader is closed as soon as the table is copied.</para>
/// </remarks>
internal sealed class SqliteSnapshots : IDisposable
{
    private const int ReaderCacheKibibytes = 8 * 1024;
    private const int PagesPerStep = 4096;

    /// <summary>
    /// Between two tries for a file's write lock: SQLite's own waiting grows to 100 ms, and starves beside a busy writer.
    /// </summary>
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);

    private readonly SortedDictionary<string, SqliteConnectionToFile> _readers = new(StringComparer.Ordinal);

    private SqliteSnapshots() { }

    /// <summary>The files' paths, in order.</summary>
    public IEnumerable<string> Paths => [.. _readers.Keys];

    /// <exception cref="BackupRefusedException">A file's write lock was not to be had.</exception>
    public static SqliteSnapshots Open(string folder, CancellationToken cancel)
    {
        while (true)
        {
            var files = Files(folder);
            var snapshots = new SqliteSnapshots();
            var locks = new List<SqliteConnectionToFile>(files.Length);
            try
            {
                foreach (var file in files)
                {
                    var writer = SqliteConnectionToFile.Open(file, TimeSpan.Zero, ReaderCacheKibibytes);
                    locks.Add(writer);
                    Lock(writer, file, cancel);
                }

                foreach (var file in files)
                {
                    var reader = SqliteConnectionToFile.Open(file, LockTimeout, ReaderCacheKibibytes);
                    snapshots._readers.Add(file, reader);
                    reader.Execute("BEGIN");
                    reader.Number("SELECT commits FROM head"); // The first read is what fixes the moment.
                }

                // A table that was made while the locks were taken may be referred to by a row that is in the snapshot.
                if (Files(folder).SequenceEqual(files))
                {
                    return snapshots;
                }

                snapshots.Dispose();
            }
            catch
            {
                snapshots.Dispose();
                throw;
            }
            finally
            {
                foreach (var writer in locks)
                {
                    writer.Dispose(); // Closing rolls back what was begun, and nothing was written.
                }
            }
        }
    }

    /// <summary>Copies one table as it was at the moment of the snapshots, closes its reader, and checks the copy.</summary>
    /// <exception cref="BackupRefusedException">The copy is damaged, and so the table is.</exception>
    public void Copy(string path, string to, CancellationToken cancel)
    {
        var reader = _readers[path];
        using (var target = OpenTarget(to))
        {
            var backup = raw.sqlite3_backup_init(target, "main", reader.Database, "main");
            if (backup is null || backup.IsInvalid)
            {
                SqliteException.ThrowExceptionForRC(raw.sqlite3_errcode(target), target);
            }

            using (backup)
            {
                int result;
                while ((result = raw.sqlite3_backup_step(backup, PagesPerStep)) == raw.SQLITE_OK)
                {
                    cancel.ThrowIfCancellationRequested();
                }

                if (result != raw.SQLITE_DONE)
                {
                    SqliteException.ThrowExceptionForRC(result, target);
                }
            }

            Close(path);
            Check(target, path);
        }

        using var written = new FileStream(to, FileMode.Open, FileAccess.ReadWrite);
        written.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        foreach (var path in Paths)
        {
            Close(path);
        }
    }

    private static string[] Files(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*" + SqliteTableStore.Extension).Order(StringComparer.Ordinal)];

    private static void Lock(SqliteConnectionToFile writer, string file, CancellationToken cancel)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                writer.Execute("BEGIN IMMEDIATE");
                return;
            }
            catch (SqliteException busy) when (busy.SqliteErrorCode == raw.SQLITE_BUSY)
            {
                if (Stopwatch.GetElapsedTime(since) > LockTimeout)
                {
                    throw new BackupRefusedException(
                        $"\"{file}\" was locked by another program for {LockTimeout.TotalSeconds:0} s. Take the backup again.",
                        busy
                    );
                }

                cancel.WaitHandle.WaitOne(BetweenTries);
                cancel.ThrowIfCancellationRequested();
            }
        }
    }

    private void Close(string path)
    {
        if (_readers.Remove(path, out var reader))
        {
            reader.Dispose();
        }
    }

    /// <summary>A new file that is written without a journal: it counts for nothing before the backup is complete.</summary>
    private static sqlite3 OpenTarget(string path)
    {
        using (new FileStream(path, FileMode.CreateNew, FileAccess.Write)) { }

        var result = raw.sqlite3_open_v2(path, out var database, raw.SQLITE_OPEN_READWRITE, vfs: null);
        if (result == raw.SQLITE_OK)
        {
            result = raw.sqlite3_exec(database, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
        }

        if (result != raw.SQLITE_OK)
        {
            using (database)
            {
                SqliteException.ThrowExceptionForRC(result, database);
            }
        }

        return database;
    }

    private static void Check(sqlite3 copy, string path)
    {
        using var check = new SqliteStatement(copy, "SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok'");
        check.Step();
        var faults = check.Number(0);
        check.Reset();
        if (faults > 0)
        {
            throw new BackupRefusedException(
                $"\"{path}\" is damaged: {TableGroups.Advice(Path.GetFileNameWithoutExtension(path))}. No backup was made."
            );
        }
    }
}
