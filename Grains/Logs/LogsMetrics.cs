using System.Diagnostics.Metrics;
using Grains.Logs.Batching;
using Grains.Logs.Intake;
using Grains.Logs.Reading;
using Grains.Logs.Sql;

namespace Grains.Logs;

/// <summary>What the log pipeline does, as numbers: meter <c>Logs</c>.</summary>
public sealed class LogsMetrics
{
    public const string Meter = "Logs";

    private readonly Counter<long> _records;
    private readonly Counter<long> _stored;
    private readonly Counter<long> _bytes;
    private readonly Histogram<double> _flushes;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _full;
    private readonly Counter<long> _merged;
    private readonly Counter<long> _sqlEnded;

    public LogsMetrics(IMeterFactory meters, Admission admission, UnreadableSegments unreadable)
    {
        var meter = meters.Create(Meter);
        _records = meter.CreateCounter<long>("logs.received", "{record}", "Records that were counted when they were decoded.");
        _stored = meter.CreateCounter<long>("logs.stored", "{record}", "Records that are in storage.");
        _bytes = meter.CreateCounter<long>("logs.segments.bytes", "By", "Bytes of segments, compressed.");
        _flushes = meter.CreateHistogram<double>("logs.flush.duration", "s", "From the moment a batch is closed until it is durable.");
        _failed = meter.CreateCounter<long>(
            "logs.flush.failed",
            "{flush}",
            "Batches that storage did not take; their senders were told to come again."
        );
        _full = meter.CreateCounter<long>("logs.shard.full", "{request}", "Requests that a shard had no room for.");
        _merged = meter.CreateCounter<long>("logs.merged", "{segment}", "Segments that were merged into larger ones.");
        _sqlEnded = meter.CreateCounter<long>(
            "logs.sql.ended",
            "{process}",
            "SQL processes that ended before they had answered, by cause: stopped, memory, crash, notstarted."
        );
        meter.CreateObservableGauge(
            "logs.segments.unreadable",
            () => unreadable.Count,
            "{segment}",
            "Segments of the log that this silo could not read when it last tried."
        );
        meter.CreateObservableGauge("logs.buffer.bytes", () => admission.Held, "By", "Bytes of requests that this silo holds.");
        meter.CreateObservableGauge(
            "logs.buffer.limit",
            () => admission.MaxBytes,
            "By",
            "Bytes of requests that this silo may hold (Logs:BufferBytes)."
        );
        meter.CreateObservableCounter(
            "logs.turned_away",
            () => admission.TurnedAway,
            "{request}",
            "Requests that were turned away before they were decoded: they are in no books."
        );
        meter.CreateObservableCounter(
            "logs.bodies.too_slow",
            () => admission.TooSlow,
            "{request}",
            "Requests whose bodies came slower than the least speed, or stalled while others needed the room: answered with "
                + "408, in no books."
        );
    }

    public void OnFlushed(Batch batch, long bytes, TimeSpan took)
    {
        _records.Add(batch.Received);
        _stored.Add(batch.Records);
        _bytes.Add(bytes);
        _flushes.Record(took.TotalSeconds);
    }

    public void OnPutFailed() => _failed.Add(1);

    public void OnFull() => _full.Add(1);

    public void OnMerged(int segments) => _merged.Add(segments);

    public void OnSqlProcessEnded(SqlProcessEnd end) =>
        _sqlEnded.Add(1, new KeyValuePair<string, object?>("cause", end.ToString().ToLowerInvariant()));
}
