using Grains.Interfaces.Logs;
using Grains.Logs.Segments;
using Xunit;

namespace Unit.Logs;

public sealed class ManifestTests
{
    private static readonly DateTimeOffset Nine = new(2026, 1, 1, 9, 0, 0, TimeSpan.Zero);

    private readonly Manifest _manifest = new(epoch: 3);

    [Fact]
    public void AReaderThatKnowsNothingGetsEverything()
    {
        _manifest.Add(1, Segment("a"));

        var delta = _manifest.Since(default);
        Assert.True(delta.IsWhole);
        Assert.Equal("a", Assert.Single(delta.Added).Name);
        Assert.Equal(new(3, 1), delta.Now);
    }

    [Fact]
    public void AReaderThatFollowsGetsWhatCameAndWhatWent()
    {
        _manifest.Add(1, Segment("a"));
        var known = _manifest.Since(default).Now;
        _manifest.Add(2, Segment("b"));
        _manifest.Remove(1);
        _manifest.Add(3, Segment("c"));
        _manifest.Remove(3);

        var delta = _manifest.Since(known);
        Assert.False(delta.IsWhole);
        Assert.Equal(["b"], delta.Added.Select(segment => segment.Name));
        Assert.Equal(["a", "c"], delta.Removed);
        Assert.Empty(_manifest.Since(delta.Now).Added);
    }

    [Fact]
    public void AReaderOfAnotherActivationOrTooFarBehindGetsEverything()
    {
        _manifest.Add(0, Segment("first"));
        var known = _manifest.Since(default).Now;
        for (var number = 1; number <= Manifest.KeptChanges + 1; number++)
        {
            _manifest.Add(number, Segment($"s{number}"));
        }

        Assert.True(_manifest.Since(known).IsWhole);
        Assert.True(_manifest.Since(known with { Epoch = 2 }).IsWhole);
        Assert.False(_manifest.Since(known with { Revision = known.Revision + 1 }).IsWhole);
    }

    [Fact]
    public void SumsAreThoseOfWhatIsThere()
    {
        _manifest.Add(1, Segment("a", raw: 100));
        _manifest.Add(2, Segment("b", raw: 300));
        _manifest.Remove(1);

        Assert.Equal((1, 300, 30, 3), (_manifest.Count, _manifest.RawBytes, _manifest.Bytes, _manifest.Records));
    }

    [Fact]
    public void AFewFreshSegmentsAreLeftAlone()
    {
        Assert.Empty(MergePlan.Next(Numbered([.. Enumerable.Repeat(1000, 7)]), Nine.AddMinutes(30)));
        Assert.Empty(MergePlan.Next(Numbered([.. Enumerable.Repeat(1000, 20)]), Nine.AddSeconds(59)));
        Assert.Equal(20, MergePlan.Next(Numbered([.. Enumerable.Repeat(1000, 20)]), Nine.AddSeconds(60)).Count);
    }

    [Fact]
    public void ABurstIsMergedWhenWhoeverWatchesHasSeenIt()
    {
        var burst = Numbered([.. Enumerable.Repeat(1000, 200)]);

        Assert.Empty(MergePlan.Next(burst, Nine + MergePlan.Fresh - TimeSpan.FromTicks(1)));
        Assert.Equal(MergePlan.MaxSegments, MergePlan.Next(burst, Nine + MergePlan.Fresh).Count);
    }

    [Fact]
    public void WhatIsLeftOfAnHourThatIsOverBecomesOne()
    {
        Assert.Equal([0, 1], MergePlan.Next(Numbered(1000, 1_000_000), Nine.AddHours(1).AddMinutes(5)));
        Assert.Empty(MergePlan.Next(Numbered(1000), Nine.AddHours(2)));
    }

    [Fact]
    public void OneThatIsLargerThanAllOthersTogetherIsNotWrittenAgainWhileItsHourGoesOn()
    {
        int[] sizes = [1_000_000, .. Enumerable.Repeat(1000, 8)];

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], MergePlan.Next(Numbered(sizes), Nine.AddMinutes(30)).Order());
    }

    [Fact]
    public void AMergeFitsIntoItsMemory()
    {
        int[] sizes = [.. Enumerable.Repeat(7 * 1024 * 1024, 20)];

        Assert.Empty(MergePlan.Next(Numbered(sizes), Nine.AddMinutes(30)));
        Assert.Equal(3, MergePlan.Next(Numbered(sizes), Nine.AddHours(2)).Count);
    }

    [Fact]
    public void LargeOnesAndThoseOfAnotherClassOrHourAreNoNeighbours()
    {
        var segments = Numbered([.. Enumerable.Repeat(1000, 8)]);
        segments[0] = new(0, segments[0].Value with { Class = "short" });
        segments[1] = new(1, segments[1].Value with { Arrived = Nine.AddHours(-1) });

        Assert.Empty(MergePlan.Next(segments, Nine.AddMinutes(4)));
        Assert.Empty(MergePlan.Next(Numbered([.. Enumerable.Repeat(40 * 1024 * 1024, 9)]), Nine.AddHours(2)));
    }

    [Fact]
    public void AnObjectsNameSaysWhoseItIs()
    {
        var name = new SegmentName(Nine, "very-short", 3, 17, 42);

        Assert.Equal("logs/2026-01-01/09/very-short-003-17-42.parquet", name.ToString());
        Assert.True(SegmentName.TryParse(name.ToString(), out var parsed));
        Assert.Equal(name, parsed);
    }

    [Theory]
    [InlineData("logs/2026-01-01/09/default-003-17.parquet")]
    [InlineData("logs/2026-01-01/9x/default-003-17-42.parquet")]
    [InlineData("logs/2026-01-01/09/default-003-17-42.txt")]
    [InlineData("other/2026-01-01/09/default-003-17-42.parquet")]
    public void WhatIsNoSegmentsNameIsNone(string name) => Assert.False(SegmentName.TryParse(name, out _));

    [Theory]
    [InlineData("default=30", "")]
    [InlineData("default=30, short=0.5", "")]
    [InlineData("short=3", "There is no class \"default\": default=30, say.")]
    [InlineData("default=30,default=3", "\"default\" is there twice.")]
    [InlineData("default=0", "\"default=0\" keeps records for \"0\" days; a number above 0 and at most 36500 is right.")]
    [InlineData(
        "Default=1",
        "\"Default=1\" is no retention class: name=days is right, the name of 1 to 32 small letters, digits and hyphens."
    )]
    public void RetentionIsReadOrRefusedWithASentence(string text, string fault)
    {
        var classes = RetentionClasses.TryParse(text, out var said);

        Assert.Equal(fault, said);
        Assert.Equal(fault == "", classes is not null);
    }

    [Fact]
    public void AClassThatIsNoLongerNamedKeepsItsRecordsAsLongAsTheDefault() =>
        Assert.Equal(TimeSpan.FromDays(30), RetentionClasses.TryParse("default=30,short=1", out _)!.Of("gone"));

    private static List<KeyValuePair<long, LogSegment>> Numbered(params int[] raw) =>
        [.. raw.Select((bytes, number) => KeyValuePair.Create((long)number, Segment($"s{number}", bytes)))];

    private static LogSegment Segment(string name, int raw = 1000) =>
        new(name, "default", Nine, Nine, 1, 2, raw / 100, raw / 10, raw, IsMerged: false, ["shop"], default);
}
