namespace Silo.Storage;

internal sealed partial class SqliteWriter
{
    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Another process held {Path} for {BusyTimeout}; {Commits} commits were answered \"unknown\""
    )]
    private partial void LogHeldByAnother(string path, TimeSpan busyTimeout, int commits);

    [LoggerMessage(Level = LogLevel.Error, Message = "A transaction on {Path} failed; {Commits} commits were answered \"unknown\"")]
    private partial void LogTransactionFailed(Exception error, string path, int commits);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The log of {Path} could not be emptied and grows until it can; nothing is lost")]
    private partial void LogCheckpointFailed(Exception error, string path);
}
