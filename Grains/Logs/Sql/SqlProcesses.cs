using System.ComponentModel;
using Grains.Interfaces.Logs;
using Microsoft.Extensions.Logging;

namespace Grains.Logs.Sql;

/// <summary>
/// Runs statements in processes that can be killed. One process is kept for the next statement, for <see cref="UsuallyKept"/>; more are
/// started when more are asked at once, and end with their
/// statement. How many there are at once is bounded by whoever asks.
/// </summary>
public sealed partial class SqlProcesses : ISqlRunner, IDisposable
{
    /// <summary>A process that nobody asks anything is kept for so long.</summary>
    public static readonly TimeSpan UsuallyKept = TimeSpan.FromMinutes(1);

    private readonly SqlProgram _program;
    private readonly Action<SqlProcessEnd> _onEnded;
    private readonly ILogger<SqlProcesses> _logger;
    private readonly Lock _lock = new();
    private readonly HashSet<SqlProcess> _running = [];
    private readonly ITimer _timer;
    private readonly TimeSpan _keptFor;
    private SqlProcess? _kept;
    private bool _isDisposed;

    /// <param name="onEnded">Is told of each process that ended before it had answered.</param>
    /// <param name="keptFor">Null: <see cref="UsuallyKept"/>.</param>
    public SqlProcesses(
        SqlProgram program,
        Action<SqlProcessEnd> onEnded,
        TimeProvider clock,
        ILogger<SqlProcesses> logger,
        TimeSpan? keptFor = null
    )
    {
        (_program, _onEnded, _logger, _keptFor) = (program, onEnded, logger, keptFor ?? UsuallyKept);
        _timer = clock.CreateTimer(_ => EndKept(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public async Task<SqlAnswer> Run(SqlRequest request, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        SqlProcess process;
        try
        {
            process = Take();
        }
        catch (Win32Exception failure)
        {
            _onEnded(SqlProcessEnd.NotStarted);
            LogNotStarted(_program.File, failure.Message);
            return SqlAnswer.Of(
                new(QueryOutcome.Crash, "The process that runs statements could not be started; the log of this silo says why.", [])
            );
        }

        try
        {
            var (answer, ended) = await process.Ask(request, stop);
            if (ended is { } end)
            {
                _onEnded(end);
                LogEnded(process.Id, end, answer.End.Sentence);
                if (end == SqlProcessEnd.NotStarted)
                {
                    LogNotStarted(_program.File, process.Errors);
                }
            }

            return answer;
        }
        catch (OperationCanceledException)
        {
            _onEnded(SqlProcessEnd.Stopped);
            throw;
        }
        finally
        {
            GiveBack(process);
        }
    }

    /// <summary>Ends all of them.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _kept?.Dispose();
            _kept = null;
            foreach (var process in _running)
            {
                process.Kill();
            }
        }

        _timer.Dispose();
    }

    private SqlProcess Take()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var process = _kept;
            _kept = null;
            if (process is { MayBeAsked: false })
            {
                process.Dispose(); // Somebody ended it while it waited.
                process = null;
            }

            if (process is null)
            {
                process = SqlProcess.Start(_program);
                LogStarted(process.Id);
            }

            _running.Add(process);
            return process;
        }
    }

    private void GiveBack(SqlProcess process)
    {
        lock (_lock)
        {
            _running.Remove(process);
            if (_kept is null && !_isDisposed && process.MayBeAsked)
            {
                _kept = process;
                _timer.Change(_keptFor, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        process.Dispose();
    }

    private void EndKept()
    {
        lock (_lock)
        {
            _kept?.Dispose();
            _kept = null;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The SQL process {ProcessId} was started")]
    private partial void LogStarted(int processId);

    [LoggerMessage(Level = LogLevel.Error, Message = "The SQL process cannot be started ({Program}): {Reason}")]
    private partial void LogNotStarted(string program, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The SQL process {ProcessId} ended before it had answered ({End}): {Sentence}")]
    private partial void LogEnded(int processId, SqlProcessEnd end, string? sentence);
}
