using Doubles;
using Doubles.Storage;
using Grains;
using Grains.Interfaces.Logs;
using Grains.Logs;
using Grains.Logs.Intake;
using Grains.Logs.Reading;
using Grains.Logs.Rows;
using Grains.Logs.Segments;
using Grains.Logs.Shards;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.TestingHost;
using Silo.Storage;
using Xunit;

namespace Cluster.Logs;

/// <summary>
/// A silo with the log's shards, on stores in memory and two clocks that only the test moves (<see cref="Clocks"/>). One per class; each
/// test has a shard of its own.
/// </summary>
public sealed class LogCluster : IAsyncLifetime
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly InProcessTestCluster _cluster;
    private int _shards;

    public LogCluster()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => Configure(silo));
        _cluster = builder.Build();
    }

    /// <summary>Of the schedule: lingering, merging, retention.</summary>
    public VirtualClock Clock { get; } = new(Begin);

    /// <summary>Of deadlines, and of what readers still need: it stands still unless a test is about them.</summary>
    public VirtualClock Guards { get; } = new(Begin);

    public FlakyTableStore Store { get; } = new();

    public FlakyBlobStore Blobs { get; } = new();

    /// <summary>A deadline.</summary>
    public DateTimeOffset Soon => Guards.GetUtcNow() + TimeSpan.FromHours(1);

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    public IGrainFactory Grains => _cluster.Client;

    /// <summary>Ends the activation that keeps the rules.</summary>
    public Task DeactivateRules() => _cluster.DeactivateAsync(Grains.GetGrain<ILogRulesGrain>(0));

    /// <summary>A number that no other test has.</summary>
    public int NewShard() => Interlocked.Increment(ref _shards);

    public ILogBatchGrain Shard(int shard) => _cluster.Client.GetGrain<ILogBatchGrain>(shard);

    /// <summary>As readers see the first so many.</summary>
    public LogShardSet Shards(int count) => new(count, Shard);

    /// <summary>Ends the activation: the next call makes a new one.</summary>
    public Task Deactivate(int shard) => _cluster.DeactivateAsync(Shard(shard));

    /// <summary>Writes a request: it is answered when time has passed that its batch lingers.</summary>
    public Task<WriteReply> Write(int shard, WriteLogs request) => Clock.PassUntil("the answer to a request", Shard(shard).Write(request));

    /// <summary>The segments that are part of the log.</summary>
    public async Task<IReadOnlyList<LogSegment>> Segments(int shard) => (await Shard(shard).Manifest(default)).Added;

    public async Task<IReadOnlyList<string>> Objects(int shard)
    {
        var names = new List<string>();
        await foreach (var blob in Blobs.List("logs/"))
        {
            if (global::Grains.Logs.Segments.SegmentName.TryParse(blob.Name, out var name) && name.Shard == shard)
            {
                names.Add(blob.Name);
            }
        }

        return names;
    }

    private void Configure(ISiloBuilder silo)
    {
        silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
        silo.Services.AddSingleton<TimeProvider>(Clock);
        silo.Services.AddKeyedSingleton<TimeProvider>(Clocks.Guards, Guards);
        silo.Services.AddSingleton<ITableStore>(Store);
        silo.Services.AddSingleton<IBlobStore>(Blobs);
        silo.Services.AddSingleton(new Admission(64 * 1024 * 1024, 0.5));
        silo.Services.AddSingleton<UnreadableSegments>();
        silo.Services.AddSingleton<LogsMetrics>();
        silo.Services.AddSingleton<MergeSlot>();
        silo.Services.AddSingleton<Func<double>>(() => 0.5);
        silo.AddTableGrainStorage(RuleList.Storage, LogTable.Name);
        silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
    }
}
