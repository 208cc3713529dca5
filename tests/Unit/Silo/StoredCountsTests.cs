using Doubles.Storage;
using Grains.Storage;
using Silo.StartUp;
using Silo.Storage;
using Xunit;

namespace Unit.Silo;

public sealed class StoredCountsTests
{
    private const string Elsewhere = "give another folder with --Storage:Path";

    private readonly FlakyTableStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheFirstCountIsStoredAndTheSameIsAcceptedLater()
    {
        await StoredCounts.Keep(_store, "Crawling:Workers", 8, Elsewhere, Cancel);
        await StoredCounts.Keep(_store, "Crawling:Workers", 8, Elsewhere, Cancel);

        var row = await _store.Get("cluster", "format", "count.Crawling.Workers", Cancel);
        Assert.Equal("""{"count":8}"""u8, row!.Payload.Span);
        Assert.Equal(1, _store.Commits);
    }

    [Fact]
    public async Task AnotherCountLaterIsRefusedWithASentence()
    {
        await StoredCounts.Keep(_store, "Crawling:Workers", 8, Elsewhere, Cancel);

        var refused = await Assert.ThrowsAsync<StartUpException>(() => StoredCounts.Keep(_store, "Crawling:Workers", 9, Elsewhere, Cancel));

        Assert.Equal(
            "Crawling:Workers is 9, and the data was made with 8, which cannot be changed afterwards. Set it to 8, or give "
                + "another folder with --Storage:Path.",
            refused.Message
        );
        Assert.Equal(ExitCodes.WrongSetting, refused.ExitCode);
    }

    [Fact]
    public async Task CountsOfDifferentSettingsAreIndependent()
    {
        await StoredCounts.Keep(_store, "Crawling:Workers", 8, Elsewhere, Cancel);
        await StoredCounts.Keep(_store, "Logs:Shards", 4, Elsewhere, Cancel);
        await StoredCounts.Keep(_store, "Crawling:Workers", 8, Elsewhere, Cancel);
    }

    [Fact]
    public async Task ALostAnswerIsSettledByReading()
    {
        _store.FailNextCommits(1, CommitFailure.UnknownApplied);

        await StoredCounts.Keep(_store, "Crawling:Workers", 8, Elsewhere, Cancel);
    }

    [Fact]
    public async Task ACountThatTheStoreLostStopsTheStart()
    {
        _store.FailNextCommits(1, CommitFailure.UnknownNotApplied);

        await Assert.ThrowsAsync<StartUpException>(() => StoredCounts.Keep(_store, "Crawling:Workers", 8, Elsewhere, Cancel));
    }

    [Fact]
    public async Task ARowThatIsNoCountStopsTheStart()
    {
        await _store.Commit("cluster", "format", [RowChange.Put("count.Crawling.Workers", "eight"u8.ToArray())], Cancel);

        var refused = await Assert.ThrowsAsync<StartUpException>(() => StoredCounts.Keep(_store, "Crawling:Workers", 8, Elsewhere, Cancel));
        Assert.StartsWith(
            "The row \"count.Crawling.Workers\" of the data's format cannot be read: ",
            refused.Message,
            StringComparison.Ordinal
        );
    }
}
