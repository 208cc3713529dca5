using System.Data;
using DuckDB.NET.Data;
using Grains.Logs.Queries;

namespace Grains.Logs.Reading;

/// <summary>
/// A database in memory for one question, with its own limit of memory, two threads, no place on disk, and settings that cannot be changed.
/// Its calls block a thread;
/// whoever makes them does so away from a grain's.
/// </summary>
internal sealed class DuckSession : IDisposable
{
    private const int Threads = 2;

    /// <summary>Between two attempts to interrupt: one that comes before the work has begun is lost.</summary>
    private static readonly TimeSpan Insist = TimeSpan.FromMilliseconds(20);

    private readonly DuckDBConnection _connection;

    private DuckSession(DuckDBConnection connection)
    {
        _connection = connection;
    }

    /// <summary>For conditions that were made here (<see cref="LogSql"/>): it may read files.</summary>
    public static DuckSession ForConditions(long memory)
    {
        var session = Open(memory);
        session.Run("SET lock_configuration = true");
        return session;
    }

    /// <summary>For a statement that somebody typed: a view over these files, and no other file, network or setting.</summary>
    /// <param name="view">The statement that makes it.</param>
    /// <exception cref="DuckDBException">The view cannot be made: a file is not what it should be.</exception>
    public static DuckSession ForStatements(long memory, IReadOnlyList<string> paths, string view)
    {
        var session = Open(memory);
        try
        {
            session.Run(
                $"SET allowed_paths = [{string.Join(", ", paths.Concat(paths.Select(Escaped)).Distinct().Select(LogSql.Literal))}]"
            );
            session.Run(view);
            session.Run("SET enable_external_access = false");
            session.Run("SET lock_configuration = true");
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Files as they stand in a FROM; what is a sign of a pattern in a path is taken as itself. Beside a segment's columns there is
    /// <c>file_row_number</c>.
    /// </summary>
    public static string Files(IEnumerable<string> paths) =>
        $"read_parquet([{string.Join(", ", paths.Select(path => LogSql.Literal(Escaped(path))))}], file_row_number = true)";

    /// <summary>Runs a query, and hands its rows to <paramref name="read"/> as they come.</summary>
    /// <exception cref="OperationCanceledException">It was interrupted because <paramref name="stop"/> said so.</exception>
    /// <exception cref="InsufficientMemoryException">It needed more memory than it has.</exception>
    /// <exception cref="DuckDBException">Anything else that is wrong with it.</exception>
    public T Read<T>(string sql, Func<IDataReader, T> read, CancellationToken stop)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.UseStreamingMode = true;
        using var interruption = new Interruption(command, stop);
        try
        {
            using var reader = command.ExecuteReader();
            return read(reader);
        }
        catch (DuckDBException interrupted) when (stop.IsCancellationRequested)
        {
            throw new OperationCanceledException("The query was interrupted.", interrupted, stop);
        }
        catch (DuckDBException full)
            when (full.Message.Contains("Out of Memory", StringComparison.OrdinalIgnoreCase)
                || full.Message.Contains("could not allocate", StringComparison.OrdinalIgnoreCase)
            )
        {
            throw new InsufficientMemoryException(full.Message, full);
        }
    }

    public void Dispose() => _connection.Dispose();

    private static DuckSession Open(long memory)
    {
        var connection = new DuckDBConnection("DataSource=:memory:");
        try
        {
            connection.Open();
            var session = new DuckSession(connection);
            session.Run($"SET memory_limit = '{memory} B'");
            session.Run($"SET threads = {Threads}");
            session.Run("SET temp_directory = ''");
            session.Run("SET autoinstall_known_extensions = false");
            session.Run("SET autoload_known_extensions = false");
            session.Run("SET TimeZone = 'UTC'");
            session.Run("SET preserve_insertion_order = false");
            return session;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A path in which signs of a pattern stand for themselves.</summary>
    internal static string Escaped(string path) =>
        path.AsSpan().ContainsAny("[*?")
            ? string.Concat(path.Select(sign => sign is '[' or '*' or '?' ? $"[{sign}]" : sign.ToString()))
            : path;

    private void Run(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Interrupts a command when a token says so, again and again until it has ended.</summary>
    private sealed class Interruption : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly DuckDBCommand _command;
        private readonly Timer _again;
        private readonly CancellationTokenRegistration _registration;
        private bool _ended;

        public Interruption(DuckDBCommand command, CancellationToken stop)
        {
            _command = command;
            _again = new(_ => Interrupt(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _registration = stop.Register(() => _again.Change(TimeSpan.Zero, Insist));
        }

        public void Dispose()
        {
            _registration.Dispose();
            _again.Dispose();
            lock (_lock)
            {
                _ended = true;
            }
        }

        private void Interrupt()
        {
            lock (_lock)
            {
                if (!_ended)
                {
                    _command.Cancel();
                }
            }
        }
    }
}
