using System.Text;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Silo.Storage;
using Silo.Storage.Backup;
using Xunit;
using About = Silo.StartUp.About;
using OrleansCluster = Orleans.Configuration.ClusterOptions;

namespace Unit.Storage;

/// <summary>Backups of a data folder that is in use, and what can be restored from them.</summary>
public sealed class BackupTests : IAsyncDisposable
{
    private const string Cluster = "dev";

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 5, 1, 12, 30, 15, TimeSpan.Zero));
    private readonly SqliteTableStore _tables;
    private readonly DirectoryBlobStore _blobs;

    public BackupTests()
    {
        _tables = SqliteTableStore.Open(Path.Combine(Data, "tables"));
        _blobs = DirectoryBlobStore.Open(Path.Combine(Data, "blobs"));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => _folder["data"];

    private string Restored => _folder["restored"];

    public async ValueTask DisposeAsync()
    {
        await _tables.DisposeAsync();
        _blobs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task ABackupTakenWhileRowsAreWrittenHoldsOneMomentOfAllTables()
    {
        await Put("cluster", "format", "version", "1");
        using var enough = new CancellationTokenSource();
        var written = new TaskCompletionSource();
        var writing = Task.Run(
            async () =>
            {
                // The object before the row that names it; the second table after the first.
                for (var number = 1; !enough.IsCancellationRequested; number++)
                {
                    await _blobs.Put($"objects/{number}", Bytes($"object {number}"), Cancel);
                    await Put("first", "numbers", "last", $"{number}");
                    await Put("second", "numbers", "last", $"{number}");
                    if (number == 20)
                    {
                        written.SetResult();
                    }
                }
            },
            Cancel
        );
        await written.Task;

        Take("backup");
        await enough.CancelAsync();
        await writing;
        LocalRestore.Run(_folder["backup"], Restored, Cancel);

        await using var tables = SqliteTableStore.Open(Path.Combine(Restored, "tables"));
        using var blobs = DirectoryBlobStore.Open(Path.Combine(Restored, "blobs"));
        var first = await Number(tables, "first");
        Assert.InRange(first, 20, int.MaxValue);
        Assert.InRange(first - await Number(tables, "second"), 0, 1);
        for (var number = 1; number <= first; number++)
        {
            Assert.Equal($"object {number}", Encoding.UTF8.GetString((await blobs.Get($"objects/{number}", cancel: Cancel))!.Value.Span));
        }
    }

    [Fact]
    public async Task AnObjectThatIsRemovedWhileTheBackupIsTakenIsInIt()
    {
        await Put("cluster", "format", "version", "1");
        await _blobs.Put("segments/one", Bytes("what rows name"), Cancel);

        Backup().Write(_folder["backup"], (_, _) => _blobs.Delete("segments/one", Cancel).GetAwaiter().GetResult(), Cancel);
        LocalRestore.Run(_folder["backup"], Restored, Cancel);

        Assert.Null(await _blobs.Get("segments/one", cancel: Cancel));
        using var blobs = DirectoryBlobStore.Open(Path.Combine(Restored, "blobs"));
        Assert.Equal("what rows name", Encoding.UTF8.GetString((await blobs.Get("segments/one", cancel: Cancel))!.Value.Span));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(Data, "blobs", "writing"), "backup-*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task MembersOfThenAreNoMembersOfTheRestoredCluster()
    {
        await new TableMembershipTable(_tables, Named(Cluster)).InitializeMembershipTable(tryInitTableVersion: true);
        await Put("cluster", "format", "version", "1");

        Take("backup");
        LocalRestore.Run(_folder["backup"], Restored, Cancel);

        await using var tables = SqliteTableStore.Open(Path.Combine(Restored, "tables"));
        Assert.Empty(await tables.Scan("cluster", TableMembershipTable.Partition(Cluster), KeyRange.All, 10, Cancel));
        Assert.NotNull(await tables.Get("cluster", "format", "version", Cancel));
    }

    [Fact]
    public async Task MailsThatWaitInTheFolderAreInTheBackupAndHalfWrittenOnesAreNot()
    {
        await Put("cluster", "format", "version", "1");
        Directory.CreateDirectory(Path.Combine(Data, "mail"));
        await File.WriteAllTextAsync(Path.Combine(Data, "mail", "o1.1.eml"), "a mail", Cancel);
        await File.WriteAllTextAsync(Path.Combine(Data, "mail", ".o2.1.part"), "half a ma", Cancel);

        Take("backup");
        LocalRestore.Run(_folder["backup"], Restored, Cancel);

        Assert.Equal(["o1.1.eml"], Directory.EnumerateFileSystemEntries(Path.Combine(Restored, "mail")).Select(Path.GetFileName));
    }

    public static TheoryData<string, string> DamagedBackups =>
        new()
        {
            { "unfinished", "is not a complete backup" },
            { "a manifest cut short", "cannot be read" },
            { "a manifest of files elsewhere", "cannot be read" },
            { "a newer form", "has form 2" },
            { "newer data", "use silo 9.9" },
            { "a table of another backup", "\"tables/first.db\" is not the file of backup" },
            { "an object of another length", "\"blobs/objects/segments+/one\" is not the file of backup" },
            { "a missing object", "\"blobs/objects/segments+/one\" of backup" },
            { "one object too many", "\"blobs/objects/segments+/two\" in" },
        };

    [Theory]
    [MemberData(nameof(DamagedBackups))]
    public async Task AMixedOrIncompleteBackupIsRefusedAndLeavesNothing(string damage, string sentence)
    {
        await Put("cluster", "format", "version", "1");
        await Put("first", "numbers", "last", "1");
        await _blobs.Put("segments/one", Bytes("what rows name"), Cancel);
        Take("backup");
        await Put("first", "numbers", "last", "2");
        Take("another");
        Damage(damage, _folder["backup"]);

        var refused = Assert.Throws<BackupRefusedException>(() => LocalRestore.Run(_folder["backup"], Restored, Cancel));

        Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
        Assert.True(!Directory.Exists(Restored) || !Directory.EnumerateFileSystemEntries(Restored).Any());
    }

    [Fact]
    public async Task ABackupIsNotRestoredOverDataThatIsThere()
    {
        await Put("cluster", "format", "version", "1");
        Take("backup");

        var refused = Assert.Throws<BackupRefusedException>(() => LocalRestore.Run(_folder["backup"], Data, Cancel));

        Assert.Contains("is not empty", refused.Message, StringComparison.Ordinal);
        Assert.Equal("1", Encoding.UTF8.GetString((await _tables.Get("cluster", "format", "version", Cancel))!.Payload.Span));
    }

    [Fact]
    public async Task WhatAnInterruptedRestoreLeftDoesNotPreventTheNext()
    {
        await Put("cluster", "format", "version", "1");
        Take("backup");
        Directory.CreateDirectory(Path.Combine(Restored, ".restore", "tables"));

        LocalRestore.Run(_folder["backup"], Restored, Cancel);

        Assert.Equal(["tables"], Directory.EnumerateFileSystemEntries(Restored).Select(Path.GetFileName));
    }

    [Fact]
    public async Task ABackupIsOnlyWrittenIntoAnEmptyFolderOutsideTheData()
    {
        await Put("cluster", "format", "version", "1");
        Directory.CreateDirectory(_folder["full"]);
        await File.WriteAllTextAsync(Path.Combine(_folder["full"], "something"), "", Cancel);

        Assert.Null(LocalBackup.Refusal(_folder["new"], Data));
        Assert.Contains("is not empty", LocalBackup.Refusal(_folder["full"], Data), StringComparison.Ordinal);
        Assert.Contains("is a file", LocalBackup.Refusal(Path.Combine(_folder["full"], "something"), Data), StringComparison.Ordinal);
        Assert.Contains("inside the other", LocalBackup.Refusal(Path.Combine(Data, "backup"), Data), StringComparison.Ordinal);
        Assert.Contains("inside the other", LocalBackup.Refusal(_folder.Path, Data), StringComparison.Ordinal);
        Assert.Contains("not an absolute path", LocalBackup.Refusal("backup", Data), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABackupThatIsCancelledLeavesNothing()
    {
        await Put("cluster", "format", "version", "1");
        await _blobs.Put("segments/one", Bytes("what rows name"), Cancel);
        using var stop = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() => Backup().Write(_folder["backup"], (_, _) => stop.Cancel(), stop.Token));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["backup"]));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(Data, "blobs", "writing"), "backup-*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task ObjectsThatTookTooLongToLinkFailTheBackup()
    {
        await Put("cluster", "format", "version", "1");
        _clock.AutoAdvanceAmount = TimeSpan.FromMinutes(5);

        var refused = Assert.Throws<BackupRefusedException>(() => Take("backup"));

        Assert.Contains("more than 5 minutes", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["backup"]));
    }

    private void Damage(string damage, string backup)
    {
        var manifest = Path.Combine(backup, BackupManifest.FileName);
        var one = Path.Combine(backup, "blobs", "objects", "segments+", "one");
        switch (damage)
        {
            case "unfinished":
                File.Delete(manifest);
                break;
            case "a manifest cut short":
                File.WriteAllText(manifest, File.ReadAllText(manifest)[..40]);
                break;
            case "a manifest of files elsewhere":
                Replace(manifest, "tables/first.db", "../another/tables/first.db");
                break;
            case "a newer form":
                Replace(manifest, "\"form\": 1", "\"form\": 2");
                break;
            case "newer data":
                var version = DataFormat.VersionOn(StorageKind.Local);
                Replace(manifest, $"\"dataVersion\": {version}", $"\"dataVersion\": {version + 1}");
                Replace(manifest, $"\"silo\": \"{About.Version}\"", "\"silo\": \"9.9\"");
                break;
            case "a table of another backup":
                File.Copy(
                    Path.Combine(_folder["another"], "tables", "first.db"),
                    Path.Combine(backup, "tables", "first.db"),
                    overwrite: true
                );
                break;
            case "an object of another length":
                File.AppendAllText(one, "!");
                break;
            case "a missing object":
                File.Delete(one);
                break;
            case "one object too many":
                File.Copy(one, Path.Combine(Path.GetDirectoryName(one)!, "two"));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(damage), damage, "No such damage.");
        }
    }

    private static void Replace(string file, string what, string with)
    {
        var text = File.ReadAllText(file);
        Assert.Contains(what, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(what, with, StringComparison.Ordinal));
    }

    private LocalBackup Backup() => new(Data, _blobs, Cluster, _clock);

    private BackupManifest Take(string name) => Backup().Write(_folder[name], (_, _) => { }, Cancel);

    private static IOptions<OrleansCluster> Named(string cluster) => Options.Create(new OrleansCluster { ClusterId = cluster });

    private async Task Put(string table, string partition, string key, string value)
    {
        var result = await _tables.Commit(table, partition, [RowChange.Put(key, Bytes(value))], Cancel);
        Assert.Equal(CommitOutcome.Committed, result.Outcome);
    }

    private static async Task<int> Number(SqliteTableStore tables, string table) =>
        int.Parse(
            Encoding.UTF8.GetString((await tables.Get(table, "numbers", "last", Cancel))!.Payload.Span),
            System.Globalization.CultureInfo.InvariantCulture
        );

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
