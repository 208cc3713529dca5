using Azure.Data.Tables;
using Silo.Storage;

namespace AzureTests;

/// <summary>What Orleans' own providers keep in an account, read as any tool would.</summary>
internal static class OrleansTables
{
    public const string Members = "OrleansSiloInstances";

    public const string States = "OrleansGrainState";

    public static async Task<IReadOnlyList<string>> Names(string connectionString, CancellationToken cancel)
    {
        var names = new List<string>();
        await foreach (var table in AzureAccount.Of(connectionString).Tables.QueryAsync(cancellationToken: cancel))
        {
            names.Add(table.Name);
        }

        return names;
    }

    public static async Task<IReadOnlyList<TableEntity>> Rows(string connectionString, string table, CancellationToken cancel)
    {
        var rows = new List<TableEntity>();
        var client = AzureAccount.Of(connectionString).Tables.GetTableClient(table);
        await foreach (var row in client.QueryAsync<TableEntity>(cancellationToken: cancel))
        {
            rows.Add(row);
        }

        return rows;
    }
}
