using System.Net;
using Doubles.Azurite;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Storage;
using Silo.Storage;
using Xunit;

namespace AzureTests;

[GenerateSerializer]
public sealed class NoteState
{
    [Id(0)]
    public string Text { get; set; } = "";
}

/// <summary>
/// Orleans' own providers as a silo registers them: keys that they would fold into one are kept apart, and an answer that is lost or late
/// is no conflict. A front before Azurite loses answers.
/// </summary>
public sealed class OrleansProvidersTests(Azurite azurite) : IAsyncLifetime
{
    private const string Storage = "notes";
    private const string StateName = "note";

    private FaultyFront _front = null!;
    private IHost _silo = null!;
    private string _connection = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IGrainStorage Notes => _silo.Services.GetRequiredKeyedService<IGrainStorage>(Storage);

    public async ValueTask InitializeAsync()
    {
        var server = await azurite.Use();
        _connection = server.ConnectionString;
        _front = await FaultyFront.Before(server.TablePort);
        _silo = await Start(AzuriteProcess.ConnectionStringOver(_front.Port, server.BlobPort));
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.StopAsync(CancellationToken.None);
            _silo.Dispose();
        }

        if (_front is not null)
        {
            await _front.DisposeAsync();
        }
    }

    [Fact]
    public async Task KeysThatTheTableStorageWouldFoldIntoOneAreKeptApart()
    {
        var root = $"http://{Guid.NewGuid():N}.example/p";
        string[] paths = ["/a?b", "/a/b", "?a/b", "/a_b", "/a#b", "/a\\b", "_a_b", "/ж/日本", ""];
        string[] keys = [.. paths.Select(path => root + path)];
        foreach (var key in keys)
        {
            await Write(key, New(key));
        }

        foreach (var key in keys)
        {
            Assert.Equal((true, key), await Read(key));
        }

        var hashes = keys.Select(StoreLimits.HashKey).ToHashSet();
        var rows = await OrleansTables.Rows(_connection, OrleansTables.States, Cancel);
        Assert.Equal(keys.Length, rows.Count(row => hashes.Contains(row.PartitionKey[^43..]) && row.RowKey == StateName));
    }

    [Fact]
    public async Task AStateIsClearedAndWrittenAgain()
    {
        var key = $"{Guid.NewGuid()}";
        var state = New("first");
        await Write(key, state);
        await Notes.ClearStateAsync(StateName, Grain(key), state);
        Assert.Equal((false, ""), await Read(key));

        state.State = new() { Text = "second" };
        await Write(key, state);
        Assert.Equal((true, "second"), await Read(key));
    }

    [Fact]
    public async Task AStaleWriteIsAnInconsistency()
    {
        var key = $"{Guid.NewGuid()}";
        await Write(key, New("first"));

        await Assert.ThrowsAnyAsync<InconsistentStateException>(() => Write(key, New("second")));
        Assert.Equal((true, "first"), await Read(key));
    }

    [Fact]
    public async Task AWriteWhoseAnswerIsLostIsSentOnceAndIsNoConflict()
    {
        var key = $"{Guid.NewGuid()}";
        var state = New("first");
        await Write(key, state);
        state.State = new() { Text = "second" };
        _front.When((request, _) => IsWrite(request) ? new Fault.CutAfter() : null);

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => Write(key, state));

        Assert.IsNotType<InconsistentStateException>(failure, exactMatch: false);
        Assert.Equal(1, _front.Seen.Count(IsWrite));
        _front.When((_, _) => null);
        Assert.Equal((true, "second"), await Read(key));
    }

    [Fact]
    public async Task AWriteWhoseAnswerComesTooLateIsSentOnceAndIsNoConflict()
    {
        var key = $"{Guid.NewGuid()}";
        var gate = new Gate();
        _front.When((request, _) => IsWrite(request) ? new Fault.Held(gate) : null);

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => Write(key, New("late")));
        gate.Open();
        await _front.HeldArrived();

        Assert.IsNotType<InconsistentStateException>(failure, exactMatch: false);
        Assert.Equal(1, _front.Seen.Count(IsWrite));
        _front.When((_, _) => null);
        Assert.Equal((true, "late"), await Read(key));
    }

    [Fact]
    public async Task AReadIsTriedAgain()
    {
        var key = $"{Guid.NewGuid()}";
        await Write(key, New("stored"));
        var failed = 0;
        _front.When((request, _) => request == Get && Interlocked.Increment(ref failed) <= 2 ? new Fault.CutAfter() : null);

        Assert.Equal((true, "stored"), await Read(key));
        Assert.True(failed >= 3, $"{failed} reads.");
    }

    private static string Get => $"GET {OrleansTables.States}";

    /// <summary>Of a state: the members of the cluster are written too.</summary>
    private static bool IsWrite(string request) => request != Get && request.EndsWith(OrleansTables.States, StringComparison.Ordinal);

    private static GrainId Grain(string key) => GrainId.Create("note", key);

    private static GrainState<NoteState> New(string text) => new() { State = new() { Text = text } };

    private Task Write(string key, GrainState<NoteState> state) => Notes.WriteStateAsync(StateName, Grain(key), state);

    private async Task<(bool Exists, string Text)> Read(string key)
    {
        var state = new GrainState<NoteState>();
        await Notes.ReadStateAsync(StateName, Grain(key), state);
        return (state.RecordExists, state.State!.Text);
    }

    /// <summary>A silo of a cluster of its own, whose provider waits for an answer as long as a busy machine needs.</summary>
    private static async Task<IHost> Start(string connection)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(AzureAccount.Of(connection, attemptTimeout: TimeSpan.FromSeconds(3)));
        var ports = Unique.Ports(2);
        builder.UseOrleans(silo =>
            silo.UseStoredClustering(StorageKind.Azure)
                .AddStoredGrainStorage(StorageKind.Azure, Storage, Storage)
                .Configure<ClusterOptions>(options =>
                {
                    options.ClusterId = $"c{Guid.NewGuid():N}";
                    options.ServiceId = "tests";
                })
                .ConfigureEndpoints(IPAddress.Loopback, ports[0], ports[1])
        );
        var host = builder.Build();
        await host.StartAsync(Cancel);
        return host;
    }
}
