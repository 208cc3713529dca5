using Doubles.Storage;
using Grains.Storage;
using Silo.Storage;
using Xunit;

namespace Unit.Storage;

public sealed class BlobStoreInMemoryTests : BlobStoreContract
{
    private readonly BlobStoreInMemory _store = new();

    protected override Task<IBlobStore> Open() => Task.FromResult<IBlobStore>(_store);
}

public sealed class DirectoryBlobStoreTests : BlobStoreContract
{
    private readonly TemporaryFolder _folder = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public void WhatAnEndedProcessLeftHalfWrittenIsRemovedAndALivingOnesIsNot()
    {
        var living = Assert.Single(Directory.GetDirectories(_folder["writing"]));
        File.WriteAllText(Path.Combine(living, "half"), "half");
        var ended = _folder["writing/ended"];
        Directory.CreateDirectory(ended);
        File.WriteAllText(Path.Combine(ended, "half"), "half");
        File.WriteAllText(ended + ".lock", "");

        using var other = DirectoryBlobStore.Open(_folder.Path);

        Assert.False(Directory.Exists(ended));
        Assert.False(File.Exists(ended + ".lock"));
        Assert.True(File.Exists(Path.Combine(living, "half")));
    }

    [Fact]
    public async Task ASumOfBytesLeavesOutWhatIsDeletedMeanwhile()
    {
        var cancel = TestContext.Current.CancellationToken;
        var store = (DirectoryBlobStore)Store;
        var changes = Task.Run(
            async () =>
            {
                for (var round = 0; round < 300; round++)
                {
                    await store.Put($"logs/{round}", Bytes("1"), cancel);
                    await store.Delete($"logs/{round}", cancel);
                }
            },
            cancel
        );
        while (!changes.IsCompleted)
        {
            await store.Measure(cancel);
        }

        await changes;
        Assert.Null(DirectoryBlobStore.LengthOf(new FileInfo(_folder["objects/logs+/1"])));
    }

    [Fact]
    public async Task NothingIsLeftBesideTheObjects()
    {
        await Store.Put("a/b", Bytes("1"), TestContext.Current.CancellationToken);
        await Store.Put("a/b", Bytes("2"), TestContext.Current.CancellationToken);

        Assert.Empty(Directory.GetFiles(Assert.Single(Directory.GetDirectories(_folder["writing"]))));
        Assert.Equal([_folder["objects/a+/b"]], Directory.GetFiles(_folder["objects"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void AFolderThatCannotBeMadeIsRefusedWithASentence()
    {
        File.WriteAllText(_folder["file"], "");

        var error = Assert.Throws<StorageRefusedException>(() => DirectoryBlobStore.Open(_folder["file"]));

        Assert.Contains(_folder["file"], error.Message, StringComparison.Ordinal);
        Assert.Contains("Storage:Path", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BytesAreCountedByFirstSegment()
    {
        foreach (var (name, bytes) in new[] { ("logs/a/b", 10), ("logs/c", 20), ("crawling/x", 25), ("alone", 1) })
        {
            await Store.Put(name, new byte[bytes], TestContext.Current.CancellationToken);
        }

        Assert.Equal(
            [new("logs", 30), new("crawling", 25), new("alone", 1)],
            await ((DirectoryBlobStore)Store).Measure(TestContext.Current.CancellationToken)
        );
    }

    protected override Task<IBlobStore> Open() => Task.FromResult<IBlobStore>(DirectoryBlobStore.Open(_folder.Path));
}
