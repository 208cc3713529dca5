using Grains;

namespace Silo.Cluster;

/// <summary>
/// Wakes every system: when the silo starts, and every few seconds after. Each system has a round of its own, so none waits for another.
/// </summary>
/// <remarks>
/// What fails is logged and tried again with the next round. A call that takes longer than <see cref="Patience"/> is given up, so that one
/// that hangs is not the last.
/// Every silo has these rounds, so the cluster needs no reminders beside them (docs/decisions/0013-no-reminders.md).
/// </remarks>
internal sealed partial class WakeUps : BackgroundService
{
    /// <summary>Between two calls of one system, from start to start; the next one is later where a call takes longer.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>For one call.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<IWakeUp> _systems;
    private readonly TimeProvider _clock;
    private readonly TimeProvider _guards;
    private readonly ILogger<WakeUps> _logger;

    public WakeUps(IEnumerable<IWakeUp> systems, TimeProvider clock, TimeProvider guards, ILogger<WakeUps> logger)
    {
        _systems = [.. systems];
        if (_systems.GroupBy(system => system.Name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new ArgumentException(
                $"Two wake-ups are named \"{twice.Key}\"; each system has one, under a name of its own.",
                nameof(systems)
            );
        }

        _clock = clock;
        _guards = guards;
        _logger = logger;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_systems.Select(system => Rounds(system, stoppingToken)));

    private async Task Rounds(IWakeUp system, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period, _clock);
        do
        {
            await Wake(system, stop);
        } while (await timer.WaitForNextTickAsync(stop));
    }

    private async Task Wake(IWakeUp system, CancellationToken stop)
    {
        using var bound = new CancellationTokenSource(Patience, _guards);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop, bound.Token);
        try
        {
            await system.Wake(cancel.Token).WaitAsync(cancel.Token);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            LogNotWoken(system.Name, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "System {System} could not be woken and will be tried again")]
    private partial void LogNotWoken(string system, Exception exception);
}

/// <summary>How a system says what is to be called.</summary>
public static class WakeUpsHosting
{
    /// <summary>The rounds themselves. After Orleans, for they call grains.</summary>
    internal static IServiceCollection AddWakeUps(this IServiceCollection services) =>
        services.AddHostedService(provider => new WakeUps(
            provider.GetServices<IWakeUp>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards),
            provider.GetRequiredService<ILogger<WakeUps>>()
        ));

    /// <summary>One system's wake-up: called when a silo starts and every few seconds after.</summary>
    public static IServiceCollection AddWakeUp(
        this IServiceCollection services,
        string name,
        Func<IGrainFactory, CancellationToken, Task> wake
    ) => services.AddSingleton<IWakeUp>(provider => new SystemWakeUp(name, wake, provider.GetRequiredService<IGrainFactory>()));

    private sealed class SystemWakeUp(string name, Func<IGrainFactory, CancellationToken, Task> wake, IGrainFactory grains) : IWakeUp
    {
        public string Name => name;

        public Task Wake(CancellationToken cancel) => wake(grains, cancel);
    }
}
