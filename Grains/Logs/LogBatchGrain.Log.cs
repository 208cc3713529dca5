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
        Level = LogLevel.Debug,
        Message = "Shard {Shard} merged {Segments} segments into one of {Records} records, {Bytes} bytes"
    )]
    private partial void LogMerged(long shard, int segments, int records, long bytes);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Shard {Shard} cannot read the segment {Name}, which {Reason}; it is left as it is, and what is in it is "
            + "missing from answers"
    )]
    private partial void LogUnreadable(long shard, string name, string reason);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Shard {Shard} cannot read {Rows} of its rows, {First} first; they are left as they are, and what they stood "
            + "for is missing"
    )]
    private partial void LogUnreadableRows(long shard, int rows, string first);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Shard {Shard} drops {Segments} segments that were kept for as long as their class says"
    )]
    private partial void LogExpired(long shard, int segments);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Shard {Shard} removes {Name}, which no row names: it was stored and never committed"
    )]
    private partial void LogSwept(long shard, string name);
}
