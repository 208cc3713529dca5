using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Silo.Storage;

/// <summary>The members of a cluster as rows of one partition of table <c>cluster</c>.</summary>
/// <remarks>
/// <para>Rows: <c>version</c>; <c>silo.</c> and the hash of an address, written only together with <c>version</c>; <c>alive.</c> and the
/// same hash, written by
/// the silo itself every few seconds. Liveness has a row of its own, so that a silo that says that it lives cannot overwrite what others
/// decided about it.</para>
/// <para>What cannot be read or written is an exception, never an empty table; false is the answer only when a version, an etag or a
/// duplicate says so.</para>
/// </remarks>
public sealed class TableMembershipTable(ITableStore store, IOptions<ClusterOptions> cluster) : IMembershipTable
{
    public const string Table = "cluster";

    private const string VersionKey = "version";
    private const string SiloPrefix = "silo.";
    private const string AlivePrefix = "alive.";

    /// <summary>Reads that meet a change of the table begin again, so many times.</summary>
    private const int MostReads = 20;

    private readonly string _partition = Partition(cluster.Value.ClusterId);

    public Task InitializeMembershipTable(bool tryInitTableVersion) =>
        InitializeMembershipTableAsync(tryInitTableVersion, CancellationToken.None);

    public async Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken)
    {
        if (!tryInitTableVersion || await store.Get(Table, _partition, VersionKey, cancellationToken) is not null)
        {
            return;
        }

        // A conflict means that another silo was faster, which is as good.
        await Commit([RowChange.Insert(VersionKey, VersionPayload(0))], cancellationToken);
    }

    public Task DeleteMembershipTableEntries(string clusterId) => DeleteMembershipTableEntriesAsync(clusterId, CancellationToken.None);

    public async Task DeleteMembershipTableEntriesAsync(string clusterId, CancellationToken cancellationToken)
    {
        var partition = Partition(clusterId);
        while (await store.Scan(Table, partition, KeyRange.All, StoreLimits.MaxCommitRows, cancellationToken) is { Count: > 0 } rows)
        {
            Certain(await store.Commit(Table, partition, [.. rows.Select(row => RowChange.Delete(row.Key))], cancellationToken));
        }
    }

    public Task<MembershipTableData> ReadRow(SiloAddress key) => ReadRowAsync(key, CancellationToken.None);

    public async Task<MembershipTableData> ReadRowAsync(SiloAddress key, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MostReads; attempt++)
        {
            var before = await ReadVersion(cancellationToken);
            var row = await store.Get(Table, _partition, SiloKey(key), cancellationToken);
            var alive = await store.Get(Table, _partition, AliveKey(key), cancellationToken);
            if (await ReadVersion(cancellationToken) == before)
            {
                return row is null ? new(before) : new(Tuple.Create(Entry(row, alive), row.ETag), before);
            }
        }

        throw Unsteady();
    }

    public Task<MembershipTableData> ReadAll() => ReadAllAsync(CancellationToken.None);

    public async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MostReads; attempt++)
        {
            // Every change of a silo's row changes the version in the same commit: the same version before and after means that what was
            // read between belongs together.
            var before = await ReadVersion(cancellationToken);
            var rows = await ReadRows(cancellationToken);
            if (await ReadVersion(cancellationToken) != before)
            {
                continue;
            }

            var members = new List<Tuple<MembershipEntry, string>>();
            foreach (var row in rows.Values.Where(row => row.Key.StartsWith(SiloPrefix, StringComparison.Ordinal)))
            {
                members.Add(Tuple.Create(Entry(row, rows.GetValueOrDefault(AlivePrefix + row.Key[SiloPrefix.Length..])), row.ETag));
            }

            return new(members, before);
        }

        throw Unsteady();
    }

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) =>
        InsertRowAsync(entry, tableVersion, CancellationToken.None);

    public Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken) =>
        Commit(
            [
                RowChange.Replace(VersionKey, VersionPayload(tableVersion.Version), tableVersion.VersionEtag),
                RowChange.Insert(SiloKey(entry.SiloAddress), SiloPayload(entry)),
                RowChange.Put(AliveKey(entry.SiloAddress), AlivePayload(entry)),
            ],
            cancellationToken
        );

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        UpdateRowAsync(entry, etag, tableVersion, CancellationToken.None);

    public Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken) =>
        Commit(
            [
                RowChange.Replace(VersionKey, VersionPayload(tableVersion.Version), tableVersion.VersionEtag),
                RowChange.Replace(SiloKey(entry.SiloAddress), SiloPayload(entry), etag),
            ],
            cancellationToken
        );

    public Task UpdateIAmAlive(MembershipEntry entry) => UpdateIAmAliveAsync(entry, CancellationToken.None);

    public Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken) =>
        Commit([RowChange.Put(AliveKey(entry.SiloAddress), AlivePayload(entry))], cancellationToken);

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => CleanupDefunctSiloEntriesAsync(beforeDate, CancellationToken.None);

    public async Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken)
    {
        var members = (await ReadAllAsync(cancellationToken)).Members;
        var defunct = members.Where(member => member.Item1.Status == SiloStatus.Dead && LastSign(member.Item1) < beforeDate.UtcDateTime);

        // Two rows a silo. The version stays, for who is a member stays. A conflict leaves the rows to the next cleaning.
        foreach (var some in defunct.Chunk(StoreLimits.MaxCommitRows / 2))
        {
            await Commit(
                [
                    .. some.SelectMany(member =>
                        new[]
                        {
                            RowChange.Delete(SiloKey(member.Item1.SiloAddress), member.Item2),
                            RowChange.Delete(AliveKey(member.Item1.SiloAddress)),
                        }
                    ),
                ],
                cancellationToken
            );
        }
    }

    /// <summary>The partition that holds the members of a cluster.</summary>
    internal static string Partition(string clusterId) =>
        StoreLimits.IsKey("members." + clusterId) ? "members." + clusterId : "hashed-members." + StoreLimits.HashKey(clusterId);

    private static string SiloKey(SiloAddress silo) => SiloPrefix + StoreLimits.HashKey(silo.ToParsableString());

    private static string AliveKey(SiloAddress silo) => AlivePrefix + StoreLimits.HashKey(silo.ToParsableString());

    private static DateTime LastSign(MembershipEntry entry)
    {
        var last = entry.StartTime > entry.IAmAliveTime ? entry.StartTime : entry.IAmAliveTime;
        foreach (var (_, at) in entry.SuspectTimes ?? [])
        {
            last = at > last ? at : last;
        }

        return last;
    }

    private async Task<TableVersion> ReadVersion(CancellationToken cancel)
    {
        var row = await store.Get(Table, _partition, VersionKey, cancel)
            ?? throw new InvalidOperationException(
                $"Cluster \"{cluster.Value.ClusterId}\" has no table of members; the first silo that starts makes it."
            );
        return new(Read(row, MemberRows.Default.StoredVersion).Version, row.ETag);
    }

    private async Task<Dictionary<string, TableRow>> ReadRows(CancellationToken cancel)
    {
        var all = new Dictionary<string, TableRow>(StringComparer.Ordinal);
        var range = KeyRange.All;
        while (true)
        {
            var rows = await store.Scan(Table, _partition, range, StoreLimits.MaxScan, cancel);
            foreach (var row in rows)
            {
                all.Add(row.Key, row);
            }

            if (rows.Count < StoreLimits.MaxScan)
            {
                return all;
            }

            range = range.After(rows[^1].Key);
        }
    }

    private async Task<bool> Commit(IReadOnlyList<RowChange> changes, CancellationToken cancel) =>
        Certain(await store.Commit(Table, _partition, changes, cancel)).Outcome == CommitOutcome.Committed;

    private CommitResult Certain(CommitResult result) =>
        result.Outcome != CommitOutcome.Unknown
            ? result
            : throw new OutcomeUnknownException(
                $"Whether the table of members of cluster \"{cluster.Value.ClusterId}\" was written is not known: {result.Cause?.Message}",
                result.Cause
            );

    private TimeoutException Unsteady() =>
        new($"The table of members of cluster \"{cluster.Value.ClusterId}\" changed during each of {MostReads} reads.");

    private static byte[] VersionPayload(int version) =>
        JsonSerializer.SerializeToUtf8Bytes(new(version), MemberRows.Default.StoredVersion);

    private static byte[] AlivePayload(MembershipEntry entry) =>
        JsonSerializer.SerializeToUtf8Bytes(new(entry.SiloAddress.ToParsableString(), entry.IAmAliveTime), MemberRows.Default.StoredLife);

    private static byte[] SiloPayload(MembershipEntry entry) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new(
                entry.SiloAddress.ToParsableString(),
                entry.Status,
                entry.HostName,
                entry.SiloName,
                entry.RoleName,
                entry.ProxyPort,
                entry.UpdateZone,
                entry.FaultZone,
                entry.StartTime,
                entry.IAmAliveTime,
                entry.SuspectTimes?.ConvertAll(suspicion => new StoredSuspicion(suspicion.Item1.ToParsableString(), suspicion.Item2))
            ),
            MemberRows.Default.StoredSilo
        );

    private static MembershipEntry Entry(TableRow row, TableRow? alive)
    {
        var silo = Read(row, MemberRows.Default.StoredSilo);
        var life = alive is null ? null : Read(alive, MemberRows.Default.StoredLife);
        if (
            !row.Key.AsSpan(SiloPrefix.Length).SequenceEqual(StoreLimits.HashKey(silo.Address))
            || (life is not null && life.Address != silo.Address)
        )
        {
            throw new InvalidDataException($"Row \"{row.Key}\" of the members is about another silo: {silo.Address}.");
        }

        return new()
        {
            SiloAddress = SiloAddress.FromParsableString(silo.Address),
            Status = silo.Status,
            HostName = silo.HostName ?? "",
            SiloName = silo.SiloName ?? "",
            RoleName = silo.RoleName,
            ProxyPort = silo.ProxyPort,
            UpdateZone = silo.UpdateZone,
            FaultZone = silo.FaultZone,
            StartTime = silo.StartTime,
            IAmAliveTime = life?.At ?? silo.IAmAliveTime,
            SuspectTimes = silo.Suspicions?.ConvertAll(suspicion =>
                Tuple.Create(SiloAddress.FromParsableString(suspicion.By), suspicion.At)
            ),
        };
    }

    private static T Read<T>(TableRow row, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class =>
        JsonSerializer.Deserialize(row.Payload.Span, type) ?? throw new InvalidDataException($"Row \"{row.Key}\" of the members is empty.");
}

internal sealed record StoredVersion(int Version);

internal sealed record StoredLife(string Address, DateTime At);

internal sealed record StoredSuspicion(string By, DateTime At);

internal sealed record StoredSilo(
    string Address,
    SiloStatus Status,
    string? HostName,
    string? SiloName,
    string? RoleName,
    int ProxyPort,
    int UpdateZone,
    int FaultZone,
    DateTime StartTime,
    DateTime IAmAliveTime,
    List<StoredSuspicion>? Suspicions
);

/// <summary>
/// The members' rows are JSON, for people who look into a table; statuses are names, so that a renumbering cannot change what a row says.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true
)]
[JsonSerializable(typeof(StoredVersion))]
[JsonSerializable(typeof(StoredLife))]
[JsonSerializable(typeof(StoredSilo))]
internal sealed partial class MemberRows : JsonSerializerContext;
