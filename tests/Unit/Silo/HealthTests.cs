using System.Diagnostics.Metrics;
using Doubles;
using Doubles.Storage;
using Grains.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Silo.Endpoints;
using Silo.Grpc;
using Silo.Http;
using Silo.Storage;
using Xunit;

namespace Unit.Silo;

public sealed class HealthTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ServiceProvider _meters = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => _meters.Dispose();

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
    public async Task AWriteThatFailsIsUnhealthyUntilOneSucceeds()
    {
        var writes = new WriteHealth(_clock);
        var check = new Health.WritesSucceed(writes);
        writes.OnFailed("orders", new SqliteException("SQLite Error 13: 'database or disk is full'.", 13));
        writes.OnFailed("orders", new SqliteException("SQLite Error 13: 'database or disk is full'.", 13));
        writes.OnFailed(WriteHealth.Blobs, new UnauthorizedAccessException("Access to the path '/secret/place' is denied."));

        var health = await check.CheckHealthAsync(new(), Cancel);

        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.Equal(
            "orders cannot be written: the disk is full (since 00:00:00Z, 2 failed); the blobs cannot be written: permission is "
                + "denied (since 00:00:00Z, 1 failed)",
            health.Description
        );
        writes.OnWritten("orders");
        writes.OnWritten(WriteHealth.Blobs);
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(new(), Cancel)).Status);
    }

    [Fact]
    public void TheMessageOfAnExceptionIsNotShownForItMayCarryAPath() =>
        Assert.Equal(
            "it failed (IOException)",
            Health.Why(
                new HealthReportEntry(
                    HealthStatus.Unhealthy,
                    "Could not open '/secret/place'.",
                    TimeSpan.Zero,
                    new IOException("/secret/place"),
                    data: null
                )
            )
        );

    [Fact]
    public async Task TheProbeFindsThatWritesFailBeforeAnybodysWriteFailsAndThatTheySucceedAgain()
    {
        var (tables, blobs, writes) = (
            new FlakyTableStore(new TableStoreInMemory()),
            new FlakyBlobStore(new BlobStoreInMemory()),
            new WriteHealth(_clock)
        );
        var probe = new WriteProbe(
            new MeasuredTableStore(tables, writes, _meters.GetRequiredService<IMeterFactory>(), _clock),
            MeasuredBlobStore.Of(blobs, writes),
            writes,
            TestEndpoints.Of(new ClusterOptions(), new HttpOptions(), new GrpcOptions(), new ListenOptions(), new InstanceOptions()),
            _clock,
            NullLogger<WriteProbe>.Instance
        );
        await probe.Probe(Cancel);
        Assert.Empty(writes.Failing);

        tables.FailNextCommits(1, CommitFailure.UnknownNotApplied);
        blobs.FailNextPuts(1, PutFailure.Throw);
        await probe.Probe(Cancel);
        Assert.Equal(["cluster", WriteHealth.Blobs], writes.Failing.Select(part => part.Part));

        await probe.Probe(Cancel);
        Assert.Empty(writes.Failing);
        Assert.Empty(await blobs.List("", Cancel).ToListAsync(Cancel));
    }

    [Fact]
    public async Task ATableWhoseCommitFailedIsTriedUntilOneSucceedsAndKeepsNoRowOfTheProbe()
    {
        var (tables, writes) = (new FlakyTableStore(new TableStoreInMemory()), new WriteHealth(_clock));
        var measured = new MeasuredTableStore(tables, writes, _meters.GetRequiredService<IMeterFactory>(), _clock);
        var probe = new WriteProbe(
            measured,
            new BlobStoreInMemory(),
            writes,
            TestEndpoints.Of(new ClusterOptions(), new HttpOptions(), new GrpcOptions(), new ListenOptions(), new InstanceOptions()),
            _clock,
            NullLogger<WriteProbe>.Instance
        );
        tables.FailNextCommits(1, CommitFailure.UnknownNotApplied);
        await measured.Commit("orders", "p", [RowChange.Put("k", new byte[1])], Cancel);
        Assert.Equal(["orders"], writes.Failing.Select(part => part.Part));

        await probe.Probe(Cancel);

        Assert.Empty(writes.Failing);
        Assert.Empty(await tables.Scan("orders", WriteProbe.Partition, KeyRange.All, 10, Cancel));
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

        public ValueTask<IReadOnlyList<TableRow>> Scan(
            string table,
            string partition,
            KeyRange range,
            int take,
            CancellationToken cancel = default
        ) => new(new TaskCompletionSource<IReadOnlyList<TableRow>>().Task);

        public Task<CommitResult> Commit(
            string table,
            string partition,
            IReadOnlyList<RowChange> changes,
            CancellationToken cancel = default
        ) => new TaskCompletionSource<CommitResult>().Task;
    }
}
