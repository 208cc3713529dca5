using System.Globalization;
using Doubles.Storage;
using Grains.Interfaces.Logs;
using Grains.Logs.Reading;
using Unit.Storage;
using Xunit;

namespace Unit.Logs.Reading;

public sealed class SegmentCacheTests : IDisposable
{
    private const int Size = 1000;

    private readonly TemporaryFolder _folder = new();
    private readonly FlakyBlobStore _blobs = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ASegmentIsCopiedOnceAndHoldsWhatTheStoreHolds()
    {
        using var cache = Cache(segments: 10);
        var segment = await Stored(1);

        for (var time = 0; time < 3; time++)
        {
            using var files = await cache.Open([segment, segment], Cancel);
            Assert.Equal(2, files.Paths.Count);
            Assert.All(files.Paths, path => Assert.Equal(Content(1), File.ReadAllBytes(path)));
        }

        Assert.Equal((1, Size), (_blobs.Gets, cache.Bytes));
    }

    [Fact]
    public async Task TheOneNotUsedForLongestGoesFirst()
    {
        using var cache = Cache(segments: 2);
        var (first, second, third) = (await Stored(1), await Stored(2), await Stored(3));
        await Use(cache, first);
        await Use(cache, second);
        await Use(cache, first);
        await Use(cache, third);

        Assert.Equal(["1", "3"], Files());
        Assert.Equal(2 * Size, cache.Bytes);
        await Use(cache, first);
        Assert.Equal(3, _blobs.Gets);
        await Use(cache, second);
        Assert.Equal(4, _blobs.Gets);
    }

    [Fact]
    public async Task WhatIsInUseStaysThoughItIsTooMuchAndGoesWhenItIsGivenBack()
    {
        using var cache = Cache(segments: 2);
        var first = await cache.Open([await Stored(1), await Stored(2)], Cancel);
        using (await cache.Open([await Stored(3), await Stored(4)], Cancel))
        {
            Assert.Equal(["1", "2", "3", "4"], Files());
        }

        Assert.Equal(["1", "2"], Files());
        first.Dispose();
        first.Dispose();
        Assert.Equal(["1", "2"], Files());
        Assert.Equal(2 * Size, cache.Bytes);
    }

    [Fact]
    public async Task MoreThanTheFolderMayHoldIsRefusedWithBothNumbers()
    {
        using var cache = Cache(segments: 1);
        LogSegment[] both = [await Stored(1), await Stored(2)];

        var refused = await Assert.ThrowsAsync<SegmentsTooLargeException>(() => cache.Open(both, Cancel));
        Assert.Contains("2000 bytes, and Logs:CacheBytes allows 1000", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, _blobs.Gets);
    }

    [Fact]
    public async Task AfterARestartWhatIsThereIsUsedAndWhatIsHalfIsNot()
    {
        var (first, second) = (await Stored(1), await Stored(2));
        using (var before = Cache(segments: 10))
        {
            await Use(before, first);
            await Use(before, second);
        }

        var broken = Assert.Single(Directory.GetFiles(_folder.Path), file => File.ReadAllBytes(file)[0] == 2);
        await File.WriteAllBytesAsync(broken, Content(2)[..10], Cancel);
        await File.WriteAllTextAsync(_folder["logs+3.parquet.aside"], "half", Cancel);

        using var cache = Cache(segments: 10);
        using var files = await cache.Open([first, second], Cancel);
        Assert.Equal([Content(1), Content(2)], files.Paths.Select(File.ReadAllBytes));
        Assert.Equal(["1", "2"], Files());
        Assert.Equal((3, 2 * Size), (_blobs.Gets, cache.Bytes));
    }

    [Fact]
    public async Task AfterARestartTheFolderHoldsNoMoreThanItMay()
    {
        using (var before = Cache(segments: 10))
        {
            for (byte number = 1; number <= 5; number++)
            {
                await Use(before, await Stored(number));
            }
        }

        using var cache = Cache(segments: 2);
        await Use(cache, await Stored(6));
        Assert.Equal(2, Files().Length);
        Assert.Contains("6", Files());
        Assert.Equal(2 * Size, cache.Bytes);
    }

    [Fact]
    public async Task ASegmentThatIsGoneIsSaidToBeGoneAndTakesNoRoom()
    {
        using var cache = Cache(segments: 10);
        var there = await Stored(1);
        var gone = await Stored(2);
        await _blobs.Delete(gone.Name, Cancel);

        var unreadable = await Assert.ThrowsAsync<SegmentsUnreadableException>(() => cache.Open([there, gone], Cancel));
        Assert.Equal(SegmentFault.Missing(gone.Name), Assert.Single(unreadable.Faults));
        Assert.Equal(Size, cache.Bytes);
        Assert.Equal(["1"], Files());
    }

    [Fact]
    public async Task ACopyThatFailedIsMadeAnew()
    {
        using var cache = Cache(segments: 10);
        var segment = await Stored(1);
        _blobs.FailNextGets(1);

        await Assert.ThrowsAsync<IOException>(() => cache.Open([segment], Cancel));
        Assert.Equal(0, cache.Bytes);
        await Use(cache, segment);
        Assert.Equal(Size, cache.Bytes);
    }

    [Fact]
    public async Task ACopyGoesOnThoughWhoeverAskedForItLeftAndIsNotMadeTwice()
    {
        using var cache = Cache(segments: 1);
        var (first, second) = (await Stored(1), await Stored(2));
        using var gate = _blobs.HoldGets();
        using var leave = new CancellationTokenSource();
        var waiting = cache.Open([first], leave.Token);
        await gate.Arrived;
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        var next = cache.Open([second], Cancel);
        var again = cache.Open([first], Cancel);
        gate.Open();
        using (await next)
        using (await again)
        {
            Assert.Equal(["1", "2"], Files());
        }

        Assert.Equal(2, _blobs.Gets);
    }

    private static async Task Use(SegmentCache cache, LogSegment segment)
    {
        using var files = await cache.Open([segment], Cancel);
        Assert.Equal(segment.Bytes, new FileInfo(files.Paths[0]).Length);
    }

    private SegmentCache Cache(int segments) => new(_blobs, _folder.Path, segments * Size);

    private static byte[] Content(byte number) => [.. Enumerable.Repeat(number, Size)];

    private async Task<LogSegment> Stored(byte number)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"logs/{number}");
        await _blobs.Put(name, Content(number), Cancel);
        return new(name, "default", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 1, 2, 1, Size, Size, false, [], default);
    }

    /// <summary>Numbers of the segments that lie in the folder.</summary>
    private string[] Files() =>
        [
            .. Directory
                .GetFiles(_folder.Path)
                .Select(Path.GetFileName)
                .Select(name => name!.Replace("logs+", "", StringComparison.Ordinal).Replace(".parquet", "", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
}
