using Grains.Storage;
using Microsoft.Data.Sqlite;
using Silo.Storage;
using Xunit;

namespace EndToEnd.Storage;

/// <summary>While another holds the lock of a table's file, in real time.</summary>
public sealed class SqliteTableStoreLockTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sqlite-lock-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task AFileThatAnotherHoldsForTooLongMakesTheOutcomeUnknownAndTheNextCommitGoesThrough()
    {
        await using var impatient = SqliteTableStore.Open(_folder.FullName, TimeSpan.FromMilliseconds(20));
        await impatient.Commit("table", "p", [RowChange.Insert("row", "x"u8.ToArray())], Cancel);
        using (Hold())
        {
            var result = await impatient.Commit("table", "p", [RowChange.Insert("late", "x"u8.ToArray())], Cancel);
            Assert.Equal(CommitOutcome.Unknown, result.Outcome);
            Assert.Contains("table.db", Assert.IsType<TimeoutException>(result.Cause).Message, StringComparison.Ordinal);
        }

        var next = await impatient.Commit("table", "p", [RowChange.Insert("next", "x"u8.ToArray())], Cancel);

        Assert.Equal(CommitOutcome.Committed, next.Outcome);
        Assert.Equal(["next", "row"], (await impatient.Scan("table", "p", KeyRange.All, 10, Cancel)).Select(row => row.Key));
    }

    /// <summary>Takes the file's write lock as another process would, until it is disposed.</summary>
    private SqliteConnection Hold()
    {
        var file = Path.Combine(_folder.FullName, "table.db");
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE";
        command.ExecuteNonQuery();
        return connection;
    }
}
