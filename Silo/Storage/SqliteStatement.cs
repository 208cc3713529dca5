using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Silo.Storage;

/// <summary>
/// A prepared statement, used by one thread at a time. It goes to SQLite directly: ADO.NET's commands and readers cost more than a row's
/// insertion itself.
/// Parameters are numbered from 1, columns from 0.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    public SqliteStatement(sqlite3 database, string sql)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
    }

    /// <summary>Binds text that is known to be ASCII.</summary>
    public SqliteStatement Bind(int parameter, string ascii)
    {
        Span<byte> bytes = stackalloc byte[1024];
        var length = Encoding.ASCII.GetBytes(ascii, bytes);
        Check(raw.sqlite3_bind_text(_statement, parameter, bytes[..length]));
        return this;
    }

    public SqliteStatement Bind(int parameter, long number)
    {
        Check(raw.sqlite3_bind_int64(_statement, parameter, number));
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> bytes)
    {
        Check(bytes.IsEmpty ? raw.sqlite3_bind_zeroblob(_statement, parameter, 0) : raw.sqlite3_bind_blob(_statement, parameter, bytes));
        return this;
    }

    /// <summary>Goes to the next row; false when there is none, and then the statement is ready to be used again.</summary>
    public bool Step()
    {
        var result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW)
        {
            return true;
        }

        raw.sqlite3_reset(_statement);
        if (result != raw.SQLITE_DONE)
        {
            SqliteException.ThrowExceptionForRC(result, _database);
        }

        return false;
    }

    /// <summary>Runs to its end and returns how many rows it changed.</summary>
    public int Run()
    {
        while (Step()) { }

        return raw.sqlite3_changes(_database);
    }

    /// <summary>Ends the statement before its last row, so that it holds no lock.</summary>
    public void Reset() => raw.sqlite3_reset(_statement);

    public long Number(int column) => raw.sqlite3_column_int64(_statement, column);

    public string Text(int column) => Encoding.ASCII.GetString(raw.sqlite3_column_blob(_statement, column));

    /// <summary>A copy of a column's bytes.</summary>
    public byte[] Bytes(int column) => raw.sqlite3_column_blob(_statement, column).ToArray();

    public void Dispose() => _statement.Dispose();

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(result, _database);
        }
    }
}
