using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grains.Storage;

namespace Silo.Storage;

/// <summary>Any table store, measured: meter <c>Storage</c>. What its commits come to is recorded in <see cref="WriteHealth"/>.</summary>
public sealed class MeasuredTableStore : ITableStore
{
    public const string Meter = "Storage";

    private readonly ITableStore _store;
    private readonly WriteHealth _writes;
    private readonly TimeProvider _clock;
    private readonly Histogram<double> _commits;
    private readonly Histogram<int> _rows;
    private readonly Histogram<double> _reads;

    public MeasuredTableStore(ITableStore store, WriteHealth writes, IMeterFactory meters, TimeProvider clock)
    {
        (_store, _writes, _clock) = (store, writes, clock);
        var meter = meters.Create(Meter);
        _commits = meter.CreateHistogram<double>("storage.commit.duration", "s", "Commits and how long they took, by table and outcome.");
        _rows = meter.CreateHistogram(
            "storage.commit.rows",
            "{row}",
            "Rows of one commit, by table; at most 100.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100] }
        );
        meter.CreateObservableGauge(
            "storage.writes.failing",
            () => writes.Failing.Count,
            "{part}",
            "Tables whose last commit failed, and the blobs when their last write did; 0 while all is well."
        );
        _reads = meter.CreateHistogram<double>(
            "storage.read.duration",
            "s",
            "Reads of one row or of a range and how long they took, by table."
        );
    }

    public ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default) =>
        _reads.Enabled ? Measured(table, _store.Get(table, partition, key, cancel)) : _store.Get(table, partition, key, cancel);

    public ValueTask<IReadOnlyList<TableRow>> Scan(
        string table,
        string partition,
        KeyRange range,
        int take,
        CancellationToken cancel = default
    ) =>
        _reads.Enabled
            ? Measured(table, _store.Scan(table, partition, range, take, cancel))
            : _store.Scan(table, partition, range, take, cancel);

    public async Task<CommitResult> Commit(
        string table,
        string partition,
        IReadOnlyList<RowChange> changes,
        CancellationToken cancel = default
    )
    {
        var since = _clock.GetTimestamp();
        var result = await Recorded(table, _store.Commit(table, partition, changes, cancel));
        if (_commits.Enabled)
        {
            _commits.Record(
                _clock.GetElapsedTime(since).TotalSeconds,
                new TagList { { "table", table }, { "outcome", result.Outcome.ToString() } }
            );
            _rows.Record(changes.Count, new KeyValuePair<string, object?>("table", table));
        }

        return result;
    }

    private async Task<CommitResult> Recorded(string table, Task<CommitResult> commit)
    {
        try
        {
            var result = await commit;
            if (result.Outcome != CommitOutcome.Unknown)
            {
                _writes.OnWritten(table);
            }
            else if (result.Cause is not OperationCanceledException)
            {
                _writes.OnFailed(table, result.Cause);
            }

            return result;
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or ObjectDisposedException))
        {
            _writes.OnFailed(table, failure);
            throw;
        }
    }

    private async ValueTask<T> Measured<T>(string table, ValueTask<T> read)
    {
        var since = _clock.GetTimestamp();
        var answer = await read;
        _reads.Record(_clock.GetElapsedTime(since).TotalSeconds, new KeyValuePair<string, object?>("table", table));
        return answer;
    }
}
