using System.Text;
using Doubles.Storage;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Endpoints;
using Silo.StartUp;
using Silo.Storage;
using Xunit;

namespace Unit.Silo;

public sealed class DataFormatTests
{
    private readonly TableStoreInMemory _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NewDataGetsTheVersionAndTheOwner()
    {
        await Check("dev");

        Assert.Equal("""{"version":1}""", await Stored("version"));
        Assert.Equal("""{"cluster":"dev"}""", await Stored("owner"));
        await Check("dev");
    }

    [Fact]
    public async Task DataOfANewerVersionIsRefused()
    {
        await _store.Commit("cluster", "format", [RowChange.Put("version", """{"version":2}"""u8.ToArray())], Cancel);

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Check("dev"));
        Assert.Contains(
            "/data is of version 2, written by a newer silo; this one, 0.1.0, reads up to version 1.",
            refused.Message,
            StringComparison.Ordinal
        );
        Assert.Null(await _store.Get("cluster", "format", "owner", Cancel));
    }

    [Fact]
    public async Task AnAccountWithTheLayoutBeforeOrleansOwnProvidersIsRefused()
    {
        await _store.Commit("cluster", "format", [RowChange.Put("version", """{"version":1}"""u8.ToArray())], Cancel);

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Check(new ClusterOptions(), OnAzure));
        Assert.Equal(
            "The data in the storage account \"things\" has the layout of an earlier silo, version 1, and this one, 0.1.0, does not open "
                + "it: "
                + "members and grain states are now where Orleans' own providers keep them, and nothing is carried over. Export what you "
                + "need with the silo that wrote it (crawl export, logs query, orders list), then give another account with "
                + "Storage:ConnectionString or --Storage:AccountName.",
            refused.Message
        );
    }

    [Fact]
    public async Task AnAccountOfThisVersionIsRefusedByTheSilosBeforeIt()
    {
        await Check(new ClusterOptions(), OnAzure);

        // They know no version above 1.
        Assert.Equal("""{"version":2}""", await Stored("version"));
        await Check(new ClusterOptions(), OnAzure);
    }

    [Fact]
    public async Task AFrontEndRefusesDataThatASiloHasToMigrateFirst()
    {
        await _store.Commit("cluster", "format", [RowChange.Put("version", """{"version":0}"""u8.ToArray())], Cancel);

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Check(new ClusterOptions { Role = ClusterRole.Front }, new()));
        Assert.EndsWith(
            "is of version 0, and a front end does not migrate it to version 1. Start a silo of 0.1.0 first.",
            refused.Message,
            StringComparison.Ordinal
        );
        await Check(new ClusterOptions(), new());
    }

    [Fact]
    public async Task DataOfAnotherClusterIsRefused()
    {
        await Check("dev");

        var refused = await Assert.ThrowsAsync<StartUpException>(() => Check("prod"));
        Assert.EndsWith(
            "belongs to cluster \"dev\", and this silo is of cluster \"prod\". Start it with --Cluster:Id dev, or give another "
                + "folder with --Storage:Path.",
            refused.Message,
            StringComparison.Ordinal
        );
    }

    private async Task<string> Stored(string key) =>
        Encoding.UTF8.GetString((await _store.Get("cluster", "format", key, Cancel))!.Payload.Span);

    private static StorageOptions OnAzure => new() { Kind = StorageKind.Azure, AccountName = "things" };

    private Task Check(string cluster) => Check(new ClusterOptions { Id = cluster }, new StorageOptions { Path = "/data" });

    private Task Check(ClusterOptions cluster, StorageOptions storage) =>
        new DataFormat(_store, Options.Create(cluster), Options.Create(storage)).Run(Cancel);
}
