using Doubles.Storage;
using Grains;
using Grains.Interfaces.Cluster;
using Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.TestingHost;
using Silo.Cluster;
using Silo.Storage;
using Xunit;

namespace Cluster;

/// <summary>The second net: one reminder per system, kept on a table store, which calls what the rounds call.</summary>
public sealed class WakeUpGrainTests : IAsyncLifetime
{
    private readonly FlakyTableStore _store = new();
    private readonly InProcessTestCluster _cluster;
    private int _wakes;
    private bool _fails;

    public WakeUpGrainTests()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo(
            (_, silo) =>
            {
                silo.Services.AddSingleton<ITableStore>(_store);
                silo.AddTableReminders();
                silo.Services.TryAddGuards();
                silo.Services.AddWakeUp("sleepers", (_, _) =>
                {
                    _wakes++;
                    return _fails ? throw new InvalidOperationException("Not now.") : Task.CompletedTask;
                });
            }
        );
        _cluster = builder.Build();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _cluster.DeployAsync();

    public async ValueTask DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task AReminderIsThereOnceHoweverOftenItIsSeenTo()
    {
        await Grain("sleepers").Arm(Cancel);
        await Grain("sleepers").Arm(Cancel);

        var rows = await _store.Scan("cluster", $"reminders.{_cluster.Options.ServiceId}", KeyRange.All, 10, Cancel);
        var reminder = System.Text.Json.JsonElement.Parse(Assert.Single(rows).Payload.Span);
        Assert.Equal(("wake", "00:02:00"), (reminder.GetProperty("name").GetString(), reminder.GetProperty("period").GetString()));
    }

    [Fact]
    public async Task AReminderThatComesWakesItsSystem()
    {
        await Remind("sleepers");
        Assert.Equal(1, _wakes);

        _fails = true;
        await Assert.ThrowsAsync<InvalidOperationException>(() => Remind("sleepers"));
        _fails = false;
        await Remind("sleepers");
        Assert.Equal(3, _wakes);
    }

    [Fact]
    public async Task AReminderOfASystemThatThisSiloDoesNotHaveWakesNobody()
    {
        await Remind("unheard of");

        Assert.Equal(0, _wakes);
    }

    private IWakeUpGrain Grain(string system) => _cluster.Client.GetGrain<IWakeUpGrain>(system);

    private Task Remind(string system) => Grain(system).AsReference<IRemindable>().ReceiveReminder(WakeUpGrain.Reminder, default);
}
