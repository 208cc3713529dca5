using System.Buffers.Binary;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Silo.Storage;

/// <summary>One connection to one table's file, for one thread at a time.</summary>
/// <remarks>
/// <para>The form of a file, version 1: <c>rows(partition, key, etag, payload)</c> with a unique index on partition and key;
/// <c>partitions</c>, which gives each partition's
/// name a number once and for all, so that the index is short (a quarter of an insert's CPU, a fifth of the bytes); and <c>head</c>, one
/// row that
/// counts the commits of the file's whole life. Its count at a commit is the etag of each row that the commit wrote, so no etag comes
/// twice, also after a delete.
/// Rows are not in the index itself (<c>WITHOUT ROWID</c>): with rows of 600 bytes and keys of 60 in no order, inserts then took twice the
/// CPU (35 µs for 17) and half the speed,
/// because the index's inner pages hold whole rows; updates and reads took the same.</para>
/// <para><c>journal_mode=WAL</c> and <c>synchronous=FULL</c>: the log is flushed to the disk before a commit answers. (<c>fullfsync</c> is
/// for macOS, whose plain flush stops at the drive's own memory.)</para>
/// </remarks>
internal sealed class SqliteConnectionToFile : IDisposable
{
    /// <summary>What a file says of itself in its header (SQLite's <c>application_id</c>): "rows".</summary>
    private const int ApplicationId = 0x726F7773;

    private const int Version = 1;

    /// <summary>Measured with rows of 600 bytes and keys of 60: pages of 8 KiB write and read more for the same rows.</summary>
    private const int PageBytes = 4096;

    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(10);

    private const string Schema = """
        CREATE TABLE partitions (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE rows (
            id INTEGER PRIMARY KEY,
            partition INTEGER NOT NULL,
            key TEXT NOT NULL,
            etag INTEGER NOT NULL,
            payload BLOB NOT NULL,
            UNIQUE (partition, key));
        CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL);
        INSERT INTO head (id, commits) VALUES (1, 0);
        """;

    private readonly List<SqliteStatement> _statements = [];

    private SqliteConnectionToFile(sqlite3 database) => Database = database;

    public sqlite3 Database { get; }

    /// <summary>Opens a file that is there and was opened by <see cref="OpenOrMake"/> before.</summary>
    public static SqliteConnectionToFile Open(string path, TimeSpan busyTimeout, int cacheKibibytes)
    {
        var connection = new SqliteConnectionToFile(OpenDatabase(path, create: false));
        try
        {
            connection.Configure(path, busyTimeout, cacheKibibytes);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens a table's file, makes it if it is not there, and refuses it if it is not ours, not whole or too new.</summary>
    /// <exception cref="StorageRefusedException">With a sentence for people.</exception>
    public static SqliteConnectionToFile OpenOrMake(string path, TimeSpan busyTimeout, int cacheKibibytes)
    {
        SqliteConnectionToFile? connection = null;
        try
        {
            CheckWhole(path);
            connection = new SqliteConnectionToFile(OpenDatabase(path, create: true));
            connection.Configure(path, busyTimeout, cacheKibibytes);

            // In one transaction, for another process may be making the file at this moment.
            connection.Execute("BEGIN");
            var made = connection.IsMade(path);
            connection.Execute("COMMIT");
            if (!made)
            {
                connection.Make(path, busyTimeout);
            }

            return connection;
        }
        catch (SqliteException error)
        {
            connection?.Dispose();
            throw Refused(path, error);
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Empties the log into the file and cuts it to nothing. False when a reader or another writer was in the way for the whole of the busy
    /// time-out.
    /// </summary>
    public bool TruncateLog()
    {
        using var checkpoint = new SqliteStatement(Database, "PRAGMA wal_checkpoint(TRUNCATE)");
        return checkpoint.Step() && checkpoint.Number(0) == 0;
    }

    /// <summary>A statement that lives as long as the connection.</summary>
    public SqliteStatement Prepare(string sql)
    {
        var statement = new SqliteStatement(Database, sql);
        _statements.Add(statement);
        return statement;
    }

    public void Execute(string sql)
    {
        var result = raw.sqlite3_exec(Database, sql);
        if (result != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(result, Database);
        }
    }

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Dispose();
        }

        Database.Dispose();
    }

    private static sqlite3 OpenDatabase(string path, bool create)
    {
        Batteries_V2.Init();
        var flags = raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX | (create ? raw.SQLITE_OPEN_CREATE : 0);
        var result = raw.sqlite3_open_v2(path, out var database, flags, vfs: null);
        if (result == raw.SQLITE_OK)
        {
            raw.sqlite3_extended_result_codes(database, 1);
            return database;
        }

        using (database)
        {
            SqliteException.ThrowExceptionForRC(result, database);
            throw new InvalidOperationException("SQLite gave an error that is none.");
        }
    }

    /// <summary>
    /// A file that is shorter than its own header says was cut off: SQLite itself would notice it only where it reads beyond the end.
    /// </summary>
    /// <remarks>While there is a log that was not emptied, the file may rightly be shorter.</remarks>
    private static void CheckWhole(string path)
    {
        const int HeaderBytes = 100;
        var file = new FileInfo(path);
        if (!file.Exists || file.Length < HeaderBytes || new FileInfo(path + "-wal") is { Exists: true, Length: > 0 })
        {
            return;
        }

        Span<byte> header = stackalloc byte[HeaderBytes];
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.ReadExactly(header);

        // "The Database Header" of SQLite's file format: the page's size at 16 (1 means 65,536), the pages at 28, good when the counters at
        // 24 and 92 agree.
        int size = BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        var bytes = BinaryPrimitives.ReadUInt32BigEndian(header[28..]) * (size == 1 ? 65_536L : size);
        if (header.StartsWith("SQLite format 3\0"u8) && header[24..28].SequenceEqual(header[92..96]) && stream.Length < bytes)
        {
            throw new StorageRefusedException($"\"{path}\" is damaged: it has {stream.Length:N0} bytes of {bytes:N0}; {Advice(path)}.");
        }
    }

    private static string Advice(string path) => TableGroups.Advice(Path.GetFileNameWithoutExtension(path));

    private static StorageRefusedException Refused(string path, SqliteException error) =>
        error.SqliteErrorCode switch
        {
            raw.SQLITE_NOTADB => new(
                $"\"{path}\" is not a database of this program; {Advice(path)}. Or choose another folder with Storage:Path.",
                error
            ),
            raw.SQLITE_CORRUPT => new($"\"{path}\" is damaged ({error.Message}); {Advice(path)}.", error),
            raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY or raw.SQLITE_PERM => new(
                $"\"{path}\" cannot be opened for writing; make it and its folder writable for this user, or choose another "
                    + $"folder with Storage:Path.",
                error
            ),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new(
                $"\"{path}\" stayed locked by another program; end that program, or choose another folder with Storage:Path.",
                error
            ),
            raw.SQLITE_FULL => new($"The disk that holds \"{path}\" is full; make room on it.", error),
            _ => new($"\"{path}\" cannot be used: {error.Message}", error),
        };

    /// <summary>Whether the file has our form already; false when it is new and empty.</summary>
    private bool IsMade(string path)
    {
        var version = Number("PRAGMA user_version");
        var application = Number("PRAGMA application_id");
        if (application == ApplicationId && version > Version)
        {
            throw new NewerDataException(
                $"\"{path}\" has data of version {version}, and this program knows versions up to {Version}; start the newer "
                    + $"program, or choose another folder with Storage:Path."
            );
        }

        if (application == ApplicationId && version == Version)
        {
            return true;
        }

        if (application != 0 || version != 0 || Number("SELECT count(*) FROM sqlite_master") != 0)
        {
            throw new StorageRefusedException(
                $"\"{path}\" is a database, but not one of this program; {Advice(path)}. Or choose another folder with Storage:Path."
            );
        }

        return false;
    }

    private void Make(string path, TimeSpan busyTimeout)
    {
        // Two processes may be making the same file. The change to WAL answers "busy" at once where waiting could be a deadlock, so the
        // waiting is done here.
        var tries = Math.Max(1, (int)(busyTimeout / BetweenTries));
        using var pause = new ManualResetEventSlim();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Execute("PRAGMA journal_mode = WAL");
                break;
            }
            catch (SqliteException error) when (error.SqliteErrorCode == raw.SQLITE_BUSY && attempt < tries)
            {
                pause.Wait(BetweenTries);
            }
        }

        Execute("BEGIN IMMEDIATE");
        if (IsMade(path))
        {
            Execute("ROLLBACK");
            return;
        }

        Execute(Schema);
        Execute($"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {Version}; COMMIT");
        OperatingSystemCalls.FlushFolder(Path.GetDirectoryName(path)!);
    }

    private void Configure(string path, TimeSpan busyTimeout, int cacheKibibytes)
    {
        raw.sqlite3_busy_timeout(Database, (int)busyTimeout.TotalMilliseconds);
        Execute(
            $"PRAGMA page_size = {PageBytes}; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = "
                + $"ON; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -{cacheKibibytes}; PRAGMA temp_store = MEMORY"
        );
        if (TableGroups.IsPersonal(Path.GetFileNameWithoutExtension(path)))
        {
            // What is deleted or overwritten is filled with zeros, in the file too: see IFileRemains.
            Execute("PRAGMA secure_delete = ON");
        }
    }

    internal long Number(string sql)
    {
        using var statement = new SqliteStatement(Database, sql);
        statement.Step();
        var number = statement.Number(0);
        statement.Reset();
        return number;
    }
}
