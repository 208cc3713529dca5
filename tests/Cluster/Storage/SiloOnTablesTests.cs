using Doubles.Storage;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.TestingHost;
using Silo.Storage;
using Xunit;

namespace Cluster.Storage;

public interface ICounterGrain : IGrainWithStringKey
{
    Task<int> Raise();

    Task Clear();
}

[GenerateSerializer]
public sealed class CounterState
{
    [Id(0)]
    public int Count { get; set; }
}

public sealed class CounterGrain([PersistentState("counter", "counters")] IPersistentState<CounterState> state) : Grain, ICounterGrain
{
    public async Task<int> Raise()
    {
        state.State.Count++;
        await state.WriteStateAsync();
        return state.State.Count;
    }

    public Task Clear() => state.ClearStateAsync();
}

/// <summary>A silo with its members and its grains' states on a table store.</summary>
public sealed class SiloOnTablesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("silo-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task AStateAndTheMembersOutliveTheSilo()
    {
        for (var start = 1; start <= 2; start++)
        {
            await using var store = SqliteTableStore.Open(_folder);
            await using var cluster = await Start(store);
            var silo = cluster.GetSiloServiceProvider();
            var grains = silo.GetRequiredService<IGrainFactory>();
            Assert.Equal(start, await grains.GetGrain<ICounterGrain>("http://a.example/?b#c").Raise());

            // A silo's start is known to the second: the second one may have the first one's row.
            var members = await silo.GetRequiredService<IMembershipTable>().ReadAllAsync(Cancel);
            Assert.Single(members.Members, member => member.Item1.Status == SiloStatus.Active);
            await cluster.StopAllSilosAsync();
        }
    }

    [Fact]
    public async Task AWriteThatConflictsFailsAndTheNextCallGoesOnFromWhatIsStored()
    {
        var store = new FlakyTableStore();
        await using var cluster = await Start(store);
        var grain = cluster.GetSiloServiceProvider().GetRequiredService<IGrainFactory>().GetGrain<ICounterGrain>("flaky");
        Assert.Equal(1, await grain.Raise());

        store.FailCommitsWhen(static (table, _, _) => table == "counters" ? CommitFailure.Conflict : null);
        await Assert.ThrowsAnyAsync<OrleansException>(grain.Raise);

        // An inconsistency ends the activation; the next one reads.
        store.FailCommitsWhen(static (_, _, _) => null);
        Assert.Equal(2, await grain.Raise());
        await grain.Clear();
        Assert.Equal(1, await grain.Raise());
    }

    private static async Task<InProcessTestCluster> Start(ITableStore store)
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.InitializeClientOnDeploy = false;
        (builder.Options.ClusterId, builder.Options.ServiceId) = ("test", "test");
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.RemoveAll<IMembershipTable>(); // Of the testing host: it forgets.
            silo.Services.AddSingleton(store);
            silo.UseTableClustering().AddTableGrainStorage("counters");
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return cluster;
    }
}
