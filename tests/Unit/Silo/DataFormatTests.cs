using System.Text;
using Doubles.Storage;
using Grains.Storage;
using Microsoft.Extensions.Options;
using Silo.Cluster;
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

    private Task Check(string cluster) =>
        new DataFormat(
            _store,
            Options.Create(new ClusterOptions { Id = cluster }),
            Options.Create(new StorageOptions { Path = "/data" })
        ).Run(Cancel);
}
