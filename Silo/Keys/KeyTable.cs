using System.Text.Json;
using System.Text.Json.Serialization;
using Grains.Interfaces.Keys;
using Grains.Storage;

namespace Silo.Keys;

/// <summary>
/// Where keys are kept: table <c>keys</c>, partition <c>keys</c>, a row per key under its name. A row in partition <c>closed</c> says that
/// a key was revoked: that there is
/// no key then opens nothing.
/// </summary>
internal static class KeyTable
{
    public const string Name = "keys";

    public const string Partition = "keys";

    private const string Closed = "closed";

    /// <summary>All of them: <see cref="IApiKeysGrain.MaxKeys"/> fit one scan.</summary>
    public static async Task<IReadOnlyList<ApiKey>> Read(ITableStore store, CancellationToken cancel) =>
        [
            .. (await store.Scan(Name, Partition, KeyRange.All, StoreLimits.MaxScan, cancel)).Select(row =>
                JsonSerializer.Deserialize(row.Payload.Span, KeyJson.Default.ApiKey)!
            ),
        ];

    public static Task<CommitResult> Insert(ITableStore store, ApiKey key, CancellationToken cancel) =>
        store.Commit(
            Name,
            Partition,
            [RowChange.Insert(key.Name, JsonSerializer.SerializeToUtf8Bytes(key, KeyJson.Default.ApiKey))],
            cancel
        );

    public static Task<CommitResult> Delete(ITableStore store, string name, CancellationToken cancel) =>
        store.Commit(Name, Partition, [RowChange.Delete(name)], cancel);

    public static async Task<bool> IsClosed(ITableStore store, CancellationToken cancel) =>
        await store.Get(Name, Closed, Closed, cancel) is not null;

    public static Task<CommitResult> Close(ITableStore store, CancellationToken cancel) =>
        store.Commit(Name, Closed, [RowChange.Put(Closed, "{}"u8.ToArray())], cancel);

    public static Task<CommitResult> Open(ITableStore store, CancellationToken cancel) =>
        store.Commit(Name, Closed, [RowChange.Delete(Closed)], cancel);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ApiKey))]
internal sealed partial class KeyJson : JsonSerializerContext;
