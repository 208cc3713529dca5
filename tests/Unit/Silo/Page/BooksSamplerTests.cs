using Microsoft.Extensions.Time.Testing;
using Silo.Page.Snapshots;
using Xunit;

namespace Unit.Silo.Page;

public sealed class BooksSamplerTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly TaskCompletionSource _read = new();

    [Fact]
    public async Task TheBooksAreReadAfterAMinuteThoughNobodyLooks()
    {
        using var sampler = new BooksSampler(Read, _clock);
        await sampler.StartAsync(TestContext.Current.CancellationToken);
        _clock.Advance(BooksHistory.Step - TimeSpan.FromTicks(1));
        Assert.False(_read.Task.IsCompleted);

        _clock.Advance(TimeSpan.FromTicks(1));

        await _read.Task;
        await sampler.StopAsync(TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(0.0, 60)]
    [InlineData(0.05, 60)]
    [InlineData(2.0, 2000)]
    public void AReadingThatTakesLongIsFollowedByALongerRest(double took, double rest) =>
        Assert.Equal(TimeSpan.FromSeconds(rest), BooksSampler.Rest(TimeSpan.FromSeconds(took)));

    private Task Read()
    {
        _read.TrySetResult();
        return Task.CompletedTask;
    }
}
