using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using Grains.Interfaces.Logs;

namespace Grains.Client;

/// <summary>A stored log record.</summary>
/// <param name="At">With 100 ns; <paramref name="Nanoseconds"/> has all of it.</param>
/// <param name="Nanoseconds">Since 1970.</param>
/// <param name="Severity">OpenTelemetry's number, 1 to 24; 0 when none was given.</param>
/// <param name="Attributes">One JSON object; empty when there are none.</param>
/// <param name="TraceId">In hexadecimal; null when there is none.</param>
/// <param name="SpanId">In hexadecimal; null when there is none.</param>
public sealed record LogEntry(
    DateTimeOffset At,
    ulong Nanoseconds,
    int Severity,
    string Service,
    string Host,
    string Body,
    string Attributes,
    string? TraceId,
    string? SpanId
)
{
    internal static ImmutableArray<LogEntry> Of(LogBlock block)
    {
        var entries = ImmutableArray.CreateBuilder<LogEntry>(block.Count);
        for (var index = 0; index < block.Count; index++)
        {
            var record = block[index];
            entries.Add(
                new(
                    LogForm.Moment(record.Time),
                    record.Time,
                    record.Severity,
                    Encoding.UTF8.GetString(record.Service),
                    Encoding.UTF8.GetString(record.Host),
                    Encoding.UTF8.GetString(record.Body),
                    Encoding.UTF8.GetString(record.Attributes),
                    Id(record.TraceId),
                    Id(record.SpanId)
                )
            );
        }

        return entries.MoveToImmutable();
    }

    private static string? Id(ReadOnlySpan<byte> id) => id.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(id) : null;
}

/// <summary>Records that were stored while a tail watched.</summary>
/// <param name="Entries">In order of time; none in a sign of life.</param>
/// <param name="Missed">Records that may have matched and are not shown: they came too fast, or cannot be read.</param>
public sealed record TailedLogs(ImmutableArray<LogEntry> Entries, long Missed);

/// <summary>Asks for log records and follows them. They are sent with any OpenTelemetry SDK, or over HTTP.</summary>
public sealed class LogsClient
{
    private readonly IGrainFactory _grains;

    internal LogsClient(IGrainFactory grains) => _grains = grains;

    /// <summary>Records that match, in order of time.</summary>
    /// <param name="query">In the language of queries (<c>service:shop severity>=warn "time-out"</c>); empty: every record.</param>
    /// <param name="since">Records of this time and after; null: from the first.</param>
    /// <param name="until">Records before this time; null: to the last.</param>
    /// <param name="limit">Records at most: 1 to <see cref="SearchLogs.MaxLimit"/>.</param>
    /// <exception cref="ClusterRefusedException">The query is wrong, or it ended for a reason other than the limit before everything was
    /// read;
    /// what was found until then was given.</exception>
    public async IAsyncEnumerable<LogEntry> Search(
        string query,
        DateTimeOffset? since = null,
        DateTimeOffset? until = null,
        int limit = SearchLogs.DefaultLimit,
        bool oldestFirst = false,
        [EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        var search = _grains.GetGrain<ILogQueryGrain>(Guid.NewGuid()).Search(new(query, since, until, limit, oldestFirst), cancel);
        await foreach (var found in search.WithBatchSize(1).WithCancellation(cancel))
        {
            foreach (var entry in LogEntry.Of(found.Records))
            {
                yield return entry;
            }

            if (found.End is { Outcome: not (QueryOutcome.Whole or QueryOutcome.Limit) } end)
            {
                throw new ClusterRefusedException(end.Sentence ?? $"The query ended early: {end.Outcome}.");
            }
        }
    }

    /// <summary>
    /// Records as they are stored from now on, until it is cancelled. It ends with an exception when the silo at which it watches goes
    /// away:
    /// what is stored until the next tail begins is found by <see cref="Search"/>.
    /// </summary>
    /// <exception cref="ClusterRefusedException">The query is wrong, or the silo has no room for another viewer.</exception>
    public async IAsyncEnumerable<TailedLogs> Tail(string query = "", [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var watch = _grains.GetGrain<ILogTailGrain>(Guid.NewGuid()).Watch(query, cancel);
        await foreach (var page in watch.WithBatchSize(1).WithCancellation(cancel))
        {
            yield return page.Wrong is { } wrong ? throw new ClusterRefusedException(wrong) : new(LogEntry.Of(page.Records), page.Missed);
        }
    }
}
