using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Silo.Storage;

/// <summary>Orleans' reminders as rows of table <c>cluster</c>, in a partition of its own per service.</summary>
/// <remarks>
/// <para>A row's key is <c>HHHHHHHH.G.N</c>: the grain's uniform hash in hexadecimal digits, the hash of the grain's id, the hash of the
/// reminder's name. Keys are in
/// the order of the uniform hash, so what a silo is responsible for, a range of it, is one scan, or two where the range wraps. The texts
/// are in the payload and
/// compared when a row is read.</para>
/// <para>What cannot be read or written is an exception, never an empty answer; so is an outcome that is not known. False is the answer of
/// a removal only when there
/// is no such row or its etag is another. Of two that remove one reminder with one etag at the same time, both may be told that it was
/// removed.</para>
/// </remarks>
public sealed class TableReminderTable(ITableStore store, IOptions<ClusterOptions> cluster) : IReminderTable
{
    public const string Table = "cluster";

    /// <summary>
    /// Greater than every character of a key: after the digits of a hash it is greater than every key with that hash, and less than the
    /// next hash.
    /// </summary>
    private const char AfterAll = '\u007f';

    private readonly string _partition = Partition(cluster.Value.ServiceId);

    /// <summary>Nothing is made here: the store makes its tables.</summary>
    public Task Init() => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<ReminderTableData> ReadRows(GrainId grainId) => ReadRows(grainId, CancellationToken.None);

    public async Task<ReminderTableData> ReadRows(GrainId grainId, CancellationToken cancellationToken)
    {
        var found = new List<ReminderEntry>();
        await Scan(KeyRange.Prefix(GrainPrefix(grainId)), found, cancellationToken);
        return new(found);
    }

    public Task<ReminderTableData> ReadRows(uint begin, uint end) => ReadRows(begin, end, CancellationToken.None);

    /// <summary>
    /// The reminders of grains whose uniform hash is in (begin, end]; where begin ≥ end the range wraps, and where they are equal it is
    /// everything.
    /// </summary>
    public async Task<ReminderTableData> ReadRows(uint begin, uint end, CancellationToken cancellationToken)
    {
        var found = new List<ReminderEntry>();
        if (begin < end)
        {
            await Scan(new(After(begin), After(end)), found, cancellationToken);
        }
        else if (begin == end)
        {
            await Scan(KeyRange.All, found, cancellationToken);
        }
        else
        {
            await Scan(KeyRange.All with { To = After(end) }, found, cancellationToken);
            await Scan(KeyRange.All with { From = After(begin) }, found, cancellationToken);
        }

        return new(found);
    }

    public Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName) => ReadRow(grainId, reminderName, CancellationToken.None);

    /// <summary>Null when there is none.</summary>
    public async Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName, CancellationToken cancellationToken) =>
        await store.Get(Table, _partition, Key(grainId, reminderName), cancellationToken) is { } row ? Entry(row) : null;

    public Task<string?> UpsertRow(ReminderEntry entry) => UpsertRow(entry, CancellationToken.None);

    public async Task<string?> UpsertRow(ReminderEntry entry, CancellationToken cancellationToken)
    {
        var stored = new StoredReminder(entry.GrainId.ToString(), entry.ReminderName, entry.StartAt, entry.Period);
        var put = RowChange.Put(
            Key(entry.GrainId, entry.ReminderName),
            JsonSerializer.SerializeToUtf8Bytes(stored, ReminderRows.Default.StoredReminder)
        );
        var result = Certain(await store.Commit(Table, _partition, [put], cancellationToken));
        return result.Outcome == CommitOutcome.Committed
            ? result.ETags[0]
            : throw new InvalidOperationException(
                $"Reminder \"{entry.ReminderName}\" of {entry.GrainId} was not written, for the store answered a write without "
                    + $"conditions with a conflict."
            );
    }

    public Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag) =>
        RemoveRow(grainId, reminderName, eTag, CancellationToken.None);

    public async Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag, CancellationToken cancellationToken)
    {
        // The store calls it a success to delete what is not there; the runtime does not.
        var key = Key(grainId, reminderName);
        var row = await store.Get(Table, _partition, key, cancellationToken);
        return row is not null
            && row.ETag == eTag
            && Certain(await store.Commit(Table, _partition, [RowChange.Delete(key, eTag)], cancellationToken)).Outcome
                == CommitOutcome.Committed;
    }

    public Task TestOnlyClearTable() => TestOnlyClearTable(CancellationToken.None);

    public async Task TestOnlyClearTable(CancellationToken cancellationToken)
    {
        while (await store.Scan(Table, _partition, KeyRange.All, StoreLimits.MaxCommitRows, cancellationToken) is { Count: > 0 } rows)
        {
            Certain(await store.Commit(Table, _partition, [.. rows.Select(row => RowChange.Delete(row.Key))], cancellationToken));
        }
    }

    private static string Partition(string serviceId) =>
        StoreLimits.IsKey("reminders." + serviceId) ? "reminders." + serviceId : "hashed-reminders." + StoreLimits.HashKey(serviceId);

    private static string After(uint hash) => $"{hash:x8}{AfterAll}";

    private static string GrainPrefix(GrainId grain) => $"{grain.GetUniformHashCode():x8}.{StoreLimits.HashKey(grain.ToString())}.";

    private static string Key(GrainId grain, string name) => GrainPrefix(grain) + StoreLimits.HashKey(name);

    private static ReminderEntry Entry(TableRow row)
    {
        var stored = JsonSerializer.Deserialize(row.Payload.Span, ReminderRows.Default.StoredReminder)
            ?? throw new InvalidDataException($"Row \"{row.Key}\" of the reminders is empty.");
        var grain = GrainId.Parse(stored.Grain, provider: null);
        return row.Key == Key(grain, stored.Name)
            ? new()
            {
                GrainId = grain,
                ReminderName = stored.Name,
                StartAt = stored.StartAt,
                Period = stored.Period,
                ETag = row.ETag,
            }
            : throw new InvalidDataException(
                $"Row \"{row.Key}\" of the reminders is about another one: \"{stored.Name}\" of " + $"{stored.Grain}."
            );
    }

    private async Task Scan(KeyRange range, List<ReminderEntry> found, CancellationToken cancel)
    {
        while (true)
        {
            var rows = await store.Scan(Table, _partition, range, StoreLimits.MaxScan, cancel);
            found.AddRange(rows.Select(Entry));
            if (rows.Count < StoreLimits.MaxScan)
            {
                return;
            }

            range = range.After(rows[^1].Key);
        }
    }

    private CommitResult Certain(CommitResult result) =>
        result.Outcome != CommitOutcome.Unknown
            ? result
            : throw new OutcomeUnknownException(
                $"Whether the reminders of service \"{cluster.Value.ServiceId}\" were written is not known: {result.Cause?.Message}",
                result.Cause
            );
}

internal sealed record StoredReminder(string Grain, string Name, DateTime StartAt, TimeSpan Period);

/// <summary>The reminders' rows are JSON, for people who look into a table.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StoredReminder))]
internal sealed partial class ReminderRows : JsonSerializerContext;
