using Doubles.Storage;
using Grains.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Silo.Http;
using Xunit;

namespace Unit.Silo;

public sealed class HealthTests
{
    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AStoreThatAnswersIsHealthy()
    {
        var health = await new Health.StoreAnswers(new TableStoreInMemory(), _clock).CheckHealthAsync(new(), Cancel);

        Assert.Equal(HealthStatus.Healthy, health.Status);
    }

    [Fact]
    public async Task AStoreThatDoesNotAnswerIsUnhealthyAfterTwoSeconds()
    {
        var check = new Health.StoreAnswers(new SilentStore(), _clock).CheckHealthAsync(new(), Cancel);
        _clock.Advance(Health.StoreTimeout - TimeSpan.FromTicks(1));
        Assert.False(check.IsCompleted);
        _clock.Advance(TimeSpan.FromTicks(1));

        var health = await check;
        Assert.Equal((HealthStatus.Unhealthy, "it did not answer within 2 s"), (health.Status, health.Description));
    }

    [Fact]
    public async Task ASiloThatIsStoppingIsNotReady()
    {
        var application = new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance);
        var check = new Health.NotStopping(application);
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(new(), Cancel)).Status);

        application.StopApplication();

        Assert.Equal(HealthStatus.Unhealthy, (await check.CheckHealthAsync(new(), Cancel)).Status);
    }

    /// <summary>Never answers, whatever is cancelled.</summary>
    private sealed class SilentStore : ITableStore
    {
        public ValueTask<TableRow?> Get(string table, string partition, string key, CancellationToken cancel = default) =>
            new(new TaskCompletionSource<TableRow?>().Task);

        public ValueTask<IReadOnlyList<TableRow>> Scan(string table, string partition, KeyRange range, int take, CancellationToken cancel = default) =>
            new(new TaskCompletionSource<IReadOnlyList<TableRow>>().Task);

        public Task<CommitResult> Commit(string table, string partition, IReadOnlyList<RowChange> changes, CancellationToken cancel = default) =>
            new TaskCompletionSource<CommitResult>().Task;
    }
}
