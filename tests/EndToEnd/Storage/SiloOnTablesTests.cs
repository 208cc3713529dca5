using System.Net;
using Doubles.Storage;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Silo.Storage;
using Xunit;

namespace EndToEnd.Storage;

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

/// <summary>A real silo, with its members and its grains' states on a table store, on ports that the system gives.</summary>
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
            using var silo = await Start(store);
            var grains = silo.Services.GetRequiredService<IGrainFactory>();
            Assert.Equal(start, await grains.GetGrain<ICounterGrain>("http://a.example/?b#c").Raise());

            var members = await silo.Services.GetRequiredService<IMembershipTable>().ReadAllAsync(Cancel);
            Assert.Equal(start, members.Members.Count);
            Assert.Single(members.Members, member => member.Item1.Status == SiloStatus.Active);
            await silo.StopAsync(Cancel);
        }
    }

    [Fact]
    public async Task AWriteThatConflictsFailsAndTheNextCallGoesOnFromWhatIsStored()
    {
        var store = new FlakyTableStore();
        using var silo = await Start(store);
        var grain = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICounterGrain>("flaky");
        Assert.Equal(1, await grain.Raise());

        store.FailCommitsWhen(static (table, _, _) => table == "counters" ? CommitFailure.Conflict : null);
        await Assert.ThrowsAnyAsync<OrleansException>(grain.Raise);

        // An inconsistency ends the activation; the next one reads.
        store.FailCommitsWhen(static (_, _, _) => null);
        Assert.Equal(2, await grain.Raise());
        await grain.Clear();
        Assert.Equal(1, await grain.Raise());
        await silo.StopAsync(Cancel);
    }

    private static async Task<IHost> Start(ITableStore store)
    {
        var (siloPort, gatewayPort) = (Unique.Port(), Unique.Port());
        var host = Host.CreateApplicationBuilder();
        host.Logging.ClearProviders();
        host.Services.AddSingleton(store);
        host.UseOrleans(silo =>
            silo.UseTableClustering()
                .AddTableGrainStorage("counters")
                .Configure<ClusterOptions>(options =>
                {
                    options.ClusterId = "test";
                    options.ServiceId = "test";
                })
                .ConfigureEndpoints(IPAddress.Loopback, siloPort, gatewayPort)
        );
        var built = host.Build();
        await built.StartAsync(Cancel);
        return built;
    }
}
