using Doubles;
using Doubles.Storage;
using Grains.Orders.Consumers;
using Grains.Storage;
using Xunit;

namespace Unit.Orders.Consumers;

/// <summary>When the store's files are cleaned after an erasure, and what is believed of it.</summary>
public sealed class ErasedFilesTests
{
    private readonly TestClock _clock = new(Given.Start);
    private readonly TableStoreInMemory _store = new();
    private readonly Remains _remains = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnErasureDuringWhichSomebodyElseCleansCleansAtItsEndAllTheSame()
    {
        var files = Files();
        var erasure = await files.Begin(Cancel);
        Assert.True(await files.Clean(Cancel));
        _remains.Cleaned.Clear();

        Assert.True(await files.End(erasure, Cancel));

        Assert.Equal(["orders", "mail"], _remains.Cleaned);
    }

    [Fact]
    public async Task AnErasureThatEndsLeavesTheOneBesideItToBeCleaned()
    {
        var files = Files();
        var first = await files.Begin(Cancel);
        await files.Begin(Cancel);
        Assert.True(await files.End(first, Cancel));
        _remains.Cleaned.Clear();

        Assert.True(await files.Clean(Cancel));

        Assert.Equal(["orders", "mail"], _remains.Cleaned);
    }

    [Fact]
    public async Task FilesThatSomebodyReadsAreCleanedLaterAndThenNoMore()
    {
        var files = Files();
        var erasure = await files.Begin(Cancel);
        _remains.IsRead = true;
        Assert.False(await files.End(erasure, Cancel));
        Assert.False(await files.Clean(Cancel));

        _remains.IsRead = false;
        Assert.True(await Files().Clean(Cancel));
        _remains.Cleaned.Clear();

        Assert.True(await files.Clean(Cancel));
        Assert.Empty(_remains.Cleaned);
    }

    [Fact]
    public async Task AnErasureThatWasBrokenOffIsCleanedForAnHour()
    {
        var files = Files();
        await files.Begin(Cancel);
        Assert.True(await files.Clean(Cancel));
        _clock.Advance(TimeSpan.FromMinutes(61));
        Assert.True(await files.Clean(Cancel));
        _remains.Cleaned.Clear();

        Assert.True(await files.Clean(Cancel));

        Assert.Empty(_remains.Cleaned);
    }

    [Fact]
    public async Task TheRowOfAVersionBeforeIsAnErasureThatIsOver()
    {
        await _store.Commit("orders", "erasures", [RowChange.Put("files", ReadOnlyMemory<byte>.Empty)], Cancel);

        Assert.True(await Files().Clean(Cancel));

        Assert.Equal(["orders", "mail"], _remains.Cleaned);
        Assert.Empty(await _store.Scan("orders", "erasures", KeyRange.All, 10, Cancel));
    }

    [Fact]
    public async Task AStoreWithoutFilesHasNothingToClean()
    {
        var files = new ErasedFiles(_store, files: null, "orders", ["orders"], _clock);

        Assert.Null(await files.End(await files.Begin(Cancel), Cancel));
        Assert.Null(await files.Clean(Cancel));
    }

    private ErasedFiles Files() => new(_store, _remains, "orders", ["orders", "mail"], _clock);

    private sealed class Remains : IFileRemains
    {
        public List<string> Cleaned { get; } = [];

        public bool IsRead { get; set; }

        public Task<bool> Clean(string table, CancellationToken cancel = default)
        {
            Cleaned.Add(table);
            return Task.FromResult(!IsRead);
        }
    }
}
