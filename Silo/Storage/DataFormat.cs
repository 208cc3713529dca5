using System.Text.Json;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.StartUp;

namespace Silo.Storage;

/// <summary>
/// What the data says of itself, in table <c>cluster</c>, partition <c>format</c>: <c>version</c> is the layout of everything that is kept,
/// <c>owner</c> the cluster that it belongs to. Both are written at the first start and compared at every later one.
/// </summary>
public sealed class DataFormat(ITableStore tables, IOptions<ClusterOptions> cluster, IOptions<StorageOptions> storage) : IStartUpCheck
{
    public const string Table = "cluster";

    public const string Partition = "format";

    public const string VersionKey = "version";

    public const string OwnerKey = "owner";

    /// <summary>On Azure, the version whose silos kept members and grain states in tables of their own.</summary>
    private const int BeforeOrleansProviders = 1;

    /// <summary>The version that this build writes, and the newest that it reads.</summary>
    public static int VersionOn(StorageKind kind) => kind == StorageKind.Azure ? 2 : 1;

    public async Task Run(CancellationToken cancel)
    {
        var mine = VersionOn(storage.Value.Kind);
        var version = await FirstValue.Keep(tables, VersionKey, new StoredVersion(mine), cancel);
        if (version.Version > mine)
        {
            throw new StartUpException(
                $"The data in {storage.Value.Place} is of version {version.Version}, written by a newer silo; this one, {About.Version}, "
                    + $"reads up to version {mine}. Start the newer silo, or {storage.Value.Elsewhere}."
            );
        }

        if (storage.Value.Kind == StorageKind.Azure && version.Version == BeforeOrleansProviders)
        {
            throw new StartUpException(
                $"The data in {storage.Value.Place} has the layout of an earlier silo, version {version.Version}, and this one, "
                    + $"{About.Version}, does not open it: members and grain states are now where Orleans' own providers keep them, and "
                    + "nothing is carried over. Export what you need with the silo that wrote it (crawl export, logs query, orders list), "
                    + $"then {storage.Value.Elsewhere}."
            );
        }

        if (version.Version < mine && cluster.Value.Role == ClusterRole.Front)
        {
            throw new StartUpException(
                $"The data in {storage.Value.Place} is of version {version.Version}, and a front end does not migrate it to version "
                    + $"{mine}. Start a silo of {About.Version} first."
            );
        }

        var owner = await FirstValue.Keep(tables, OwnerKey, new StoredOwner(cluster.Value.Id), cancel);
        if (owner.Cluster != cluster.Value.Id)
        {
            throw new StartUpException(
                $"The data in {storage.Value.Place} belongs to cluster \"{owner.Cluster}\", and this silo is of cluster "
                    + $"\"{cluster.Value.Id}\". "
                    + $"Start it with --Cluster:Id {owner.Cluster}, or {storage.Value.Elsewhere}."
            );
        }
    }

    private sealed record StoredVersion(int Version);

    private sealed record StoredOwner(string Cluster);
}

/// <summary>Values that the first to start stores and everybody later reads: one row each, as JSON.</summary>
internal static class FirstValue
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The value that is stored under the key, which is <paramref name="mine"/> when there was none.</summary>
    /// <exception cref="StartUpException">What is stored cannot be read, or it cannot be said whether it was stored.</exception>
    public static async Task<T> Keep<T>(ITableStore tables, string key, T mine, CancellationToken cancel)
    {
        if (await tables.Get(DataFormat.Table, DataFormat.Partition, key, cancel) is { } stored)
        {
            return Read<T>(key, stored);
        }

        var insert = RowChange.Insert(key, JsonSerializer.SerializeToUtf8Bytes(mine, Json));
        var commit = await tables.Commit(DataFormat.Table, DataFormat.Partition, [insert], cancel);
        if (commit.Outcome == CommitOutcome.Committed)
        {
            return mine;
        }

        // Another silo was first, or the answer got lost: what is there now decides.
        return await tables.Get(DataFormat.Table, DataFormat.Partition, key, cancel) is { } row
            ? Read<T>(key, row)
            : throw new StartUpException(
                $"The store did not keep the row \"{key}\" of the data's format: {commit.Cause?.Message ?? "no reason was given"}."
            );
    }

    private static T Read<T>(string key, TableRow row)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(row.Payload.Span, Json) ?? throw new JsonException("It is null.");
        }
        catch (JsonException unreadable)
        {
            throw new StartUpException($"The row \"{key}\" of the data's format cannot be read: {unreadable.Message}", unreadable);
        }
    }
}
