using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Grains.Logs.Rows;
using Grains.Storage;

namespace Silo.Page.Logs;

/// <summary>A query that somebody gave a name, for all who look.</summary>
public sealed record SavedQuery(string Name, string Query);

/// <summary>The saved queries of the cluster: a row each in the table of logs.</summary>
public sealed class SavedQueries(ITableStore store)
{
    public const int Max = 100;

    public const int MaxNameLength = 80;

    private const string Partition = "saved-queries";

    public async Task<ImmutableArray<SavedQuery>> List(CancellationToken cancel) =>
        [
            .. (await store.Scan(LogTable.Name, Partition, KeyRange.All, Max, cancel))
                .Select(row => JsonSerializer.Deserialize(row.Payload.Span, SavedQueryJson.Default.SavedQuery)!)
                .OrderBy(query => query.Name, StringComparer.OrdinalIgnoreCase),
        ];

    /// <summary>Why it was not saved, a sentence; null when it was. One of the same name is replaced.</summary>
    public async Task<string?> Save(SavedQuery query, CancellationToken cancel)
    {
        if (query.Name.Length is 0 or > MaxNameLength)
        {
            return $"A name has 1 to {MaxNameLength} characters.";
        }

        if ((await List(cancel)).Length >= Max)
        {
            return $"{Max} queries are saved already. Remove one first.";
        }

        var payload = JsonSerializer.SerializeToUtf8Bytes(query, SavedQueryJson.Default.SavedQuery);
        var commit = await store.Commit(LogTable.Name, Partition, [RowChange.Put(Key(query.Name), payload)], cancel);
        return commit.Outcome == CommitOutcome.Committed ? null : "The store did not say whether it was saved. Save it again.";
    }

    public async Task<string?> Remove(string name, CancellationToken cancel) =>
        (await store.Commit(LogTable.Name, Partition, [RowChange.Delete(Key(name))], cancel)).Outcome == CommitOutcome.Committed
            ? null
            : "The store did not say whether it was removed. Remove it again.";

    private static string Key(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
