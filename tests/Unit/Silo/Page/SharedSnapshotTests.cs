using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Silo.Page.Snapshots;
using Xunit;

namespace Unit.Silo.Page;

public sealed class SharedSnapshotTests
{
    private readonly FakeTimeProvider _clock = new();
    private int _reads;

    [Fact]
    public async Task AllWhoAskAtOnceShareOneReading()
    {
        var gate = new TaskCompletionSource<int>();
        var snapshot = Share(_ =>
        {
            _reads++;
            return gate.Task;
        });

        var asked = Enumerable.Range(0, 50).Select(_ => snapshot.Get().AsTask()).ToArray();
        gate.SetResult(7);

        Assert.All(await Task.WhenAll(asked), sample => Assert.Equal(7, sample.Value));
        Assert.Equal(1, _reads);
    }

    [Fact]
    public async Task AFailureIsToldBesideWhatWasReadLast()
    {
        var fails = false;
        var snapshot = Share(_ => fails ? throw new InvalidOperationException("inside") : Task.FromResult(7));
        await snapshot.Get();
        fails = true;
        _clock.Advance(TimeSpan.FromSeconds(5));

        var sample = await snapshot.Get();

        Assert.Equal((7, "told"), (sample.Value, sample.Error));
    }

    [Fact]
    public async Task NothingIsReadOnceNobodyLooks()
    {
        var seen = new TaskCompletionSource();
        var snapshot = Share(_ => Task.FromResult(++_reads));
        using (snapshot.Watch(() => Task.FromResult(seen.TrySetResult())))
        {
            await seen.Task;
            Assert.True(snapshot.IsWatched);
        }

        Assert.False(snapshot.IsWatched);
    }

    private SharedSnapshot<int> Share(Func<CancellationToken, Task<int>> read) =>
        new(read, _ => "told", _clock, _clock, NullLogger.Instance);
}
