using Grains;
using Grains.Interfaces.Cluster;

namespace Silo.Cluster;

/// <summary>
/// Wakes every system: when the silo starts, and every few seconds after. Each system has a round of its own, so none waits for another.
/// </summary>
/// <remarks>
/// What fails is logged and tried again with the next round. A call that takes longer than <see cref="Patience"/> is given up, so that one
/// that hangs is not the last.
/// The second net is a reminder per system (<see cref="WakeUpGrain"/>), which is seen to until it is there: it wakes the system from
/// whatever silo lives, even where these rounds
/// have come to an end.
/// </remarks>
internal sealed partial class WakeUps : BackgroundService
{
    /// <summary>Between two calls of one system, from start to start; the next one is later where a call takes longer.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>For one call.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IReadOnlyList<IWakeUp> _systems;
    private readonly Func<string, CancellationToken, Task> _arm;
    private readonly TimeProvider _clock;
    private readonly TimeProvider _guards;
    private readonly ILogger<WakeUps> _logger;

    /// <param name="arm">Sees to it that the reminder of the system of this name is there.</param>
    public WakeUps(
        IEnumerable<IWakeUp> systems,
        Func<string, CancellationToken, Task> arm,
        TimeProvider clock,
        TimeProvider guards,
        ILogger<WakeUps> logger
    )
    {
        _systems = [.. systems];
        if (_systems.GroupBy(system => system.Name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new ArgumentException(
                $"Two wake-ups are named \"{twice.Key}\"; each system has one, under a name of its own.",
                nameof(systems)
            );
        }

        _arm = arm;
        _clock = clock;
        _guards = guards;
        _logger = logger;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_systems.Select(system => Rounds(system, stoppingToken)));

    private async Task Rounds(IWakeUp system, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period, _clock);
        var armed = false;
        do
        {
            await Try(system.Wake, LogNotWoken);
            if (!armed)
            {
                armed = await Try(cancel => _arm(system.Name, cancel), LogNotArmed);
            }
        } while (await timer.WaitForNextTickAsync(stop));

        async Task<bool> Try(Func<CancellationToken, Task> call, Action<string, Exception> log)
        {
            using var bound = new CancellationTokenSource(Patience, _guards);
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop, bound.Token);
            try
            {
                await call(cancel.Token).WaitAsync(cancel.Token);
                return true;
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                log(system.Name, e);
                return false;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "System {System} could not be woken and will be tried again")]
    private partial void LogNotWoken(string system, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The reminder of system {System} could not be seen to and will be tried again")]
    private partial void LogNotArmed(string system, Exception exception);
}

/// <summary>How a system says what is to be called.</summary>
public static class WakeUpsHosting
{
    /// <summary>The rounds themselves. After Orleans, for they call grains.</summary>
    internal static IServiceCollection AddWakeUps(this IServiceCollection services) =>
        services.AddHostedService(provider => new WakeUps(
            provider.GetServices<IWakeUp>(),
            (name, cancel) => provider.GetRequiredService<IGrainFactory>().GetGrain<IWakeUpGrain>(name).Arm(cancel),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredKeyedService<TimeProvider>(Clocks.Guards),
            provider.GetRequiredService<ILogger<WakeUps>>()
        ));

    /// <summary>One system's wake-up: called when a silo starts, every few seconds after, and by the system's reminder.</summary>
    public static IServiceCollection AddWakeUp(
        this IServiceCollection services,
        string name,
        Func<IGrainFactory, CancellationToken, Task> wake
    ) => services.AddSingleton<IWakeUp>(provider => new SystemWakeUp(name, wake, provider));

    /// <summary>The grains are looked up with each call: a grain that has its reminder is made of these too.</summary>
    private sealed class SystemWakeUp(string name, Func<IGrainFactory, CancellationToken, Task> wake, IServiceProvider services) : IWakeUp
    {
        public string Name => name;

        public Task Wake(CancellationToken cancel) => wake(services.GetRequiredService<IGrainFactory>(), cancel);
    }
}
