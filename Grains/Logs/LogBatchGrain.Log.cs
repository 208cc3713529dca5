using Microsoft.Extensions.Logging;

namespace Grains.Logs;

public sealed partial class LogBatchGrain
{
    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Shard {Shard} of the log is open, activation {Epoch}: {Segments} segments, {Requests} requests remembered"
    )]
    private partial void LogOpened(long shard, long epoch, int segments, int requests);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Shard {Shard} could not store a segment of {Records} records; their senders are told to come again"
    )]
    private partial void LogPutFailed(long shard, long records, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shard {Shard} ends: {Reason}")]
    private partial void LogLost(long shard, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shard {Shard} could not tidy up; it tries again")]
    private partial void LogTendFailed(long shard, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Shard {Shard} cannot read {Rows} of its rows, {First} first; they are left as they are, and what they stood "
            + "for is missing"
    )]
    private partial void LogUnreadableRows(long shard, int rows, string first);
}
