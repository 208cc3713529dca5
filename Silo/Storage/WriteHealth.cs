using System.Collections.Concurrent;
using Azure;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Silo.Storage;

/// <summary>A part of the store whose last write failed.</summary>
/// <param name="Part">A table's name, or <see cref="WriteHealth.Blobs"/>.</param>
/// <param name="Reason">Why, without any path of the machine.</param>
/// <param name="Since">The first of the failures that came without a success between them.</param>
/// <param name="Failures">How many there were.</param>
public readonly record struct FailingWrites(string Part, string Reason, DateTimeOffset Since, long Failures);

/// <summary>Whether writes succeed: what the last write to each table, and to the blobs, came to in this process. Thread-safe.</summary>
public sealed class WriteHealth(TimeProvider clock)
{
    /// <summary>The blob store as a part; no table can have this name, for it has a space.</summary>
    public const string Blobs = "the blobs";

    private const int NoSpaceLeft = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;

    private readonly ConcurrentDictionary<string, FailingWrites> _failing = new(StringComparer.Ordinal);

    /// <summary>The parts that cannot be written, by name; empty while all is well.</summary>
    public IReadOnlyList<FailingWrites> Failing =>
        _failing.IsEmpty ? [] : [.. _failing.Values.OrderBy(part => part.Part, StringComparer.Ordinal)];

    public void OnWritten(string part)
    {
        if (!_failing.IsEmpty)
        {
            _failing.TryRemove(part, out _);
        }
    }

    public void OnFailed(string part, Exception? cause)
    {
        var (reason, now) = (Reason(cause), clock.GetUtcNow());
        _failing.AddOrUpdate(
            part,
            static (part, failure) => new(part, failure.reason, failure.now, 1),
            static (_, before, failure) => before with { Reason = failure.reason, Failures = before.Failures + 1 },
            (reason, now)
        );
    }

    /// <summary>A failure in words that may be shown to anybody: exceptions of files carry paths.</summary>
    internal static string Reason(Exception? cause) =>
        cause switch
        {
            SqliteException { SqliteErrorCode: raw.SQLITE_FULL } => "the disk is full",
            SqliteException { SqliteErrorCode: raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN or raw.SQLITE_PERM } =>
                "it cannot be opened for writing",
            SqliteException { SqliteErrorCode: raw.SQLITE_IOERR } => "the disk fails",
            SqliteException { SqliteErrorCode: raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB } => "it is damaged",
            SqliteException other => $"the database answers with error {other.SqliteErrorCode}",
            TimeoutException => "it does not answer in time",
            UnauthorizedAccessException => "permission is denied",
            FileNotFoundException or DirectoryNotFoundException => "its folder is gone",
            IOException { HResult: NoSpaceLeft or unchecked((int)0x80070070) } => "the disk is full",
            IOException { HResult: ReadOnlyFileSystem } => "the file system is read-only",
            IOException { HResult: QuotaExceeded } => "the quota of the disk is used up",
            RequestFailedException answer => $"the service answers {answer.Status} {answer.ErrorCode}".TrimEnd(),
            OutcomeUnknownException { InnerException: { } inner } => Reason(inner),
            null => "the store gives no reason",
            _ => $"it fails ({cause.GetType().Name})",
        };
}
