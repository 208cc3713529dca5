using Grains;
using Grains.Interfaces.Cluster;

namespace Silo.Cluster;

/// <summary>Has the one reminder of its system, and calls what the rounds of every silo call (<see cref="WakeUps"/>).</summary>
[GrainType("wakeup")]
public sealed partial class WakeUpGrain(
    IEnumerable<IWakeUp> systems,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    ILogger<WakeUpGrain> logger
) : Grain, IWakeUpGrain, IRemindable
{
    /// <summary>The name of the reminder.</summary>
    public const string Reminder = "wake";

    /// <summary>Of the reminder. The rounds are much quicker; this is for when there are none.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(2);

    /// <summary>Written anew each time, so that a period that another version stored does not stay.</summary>
    public Task Arm(CancellationToken cancel) => this.RegisterOrUpdateReminder(Reminder, Period, Period, cancel);

    /// <summary>What fails is tried again when the next reminder comes: Orleans logs it.</summary>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        var name = this.GetPrimaryKeyString();
        if (systems.FirstOrDefault(system => system.Name == name) is not { } system)
        {
            // Another version of the silo has the system, before this one or beside it: its reminder is not this one's to remove.
            LogUnknown(name);
            return;
        }

        using var bound = new CancellationTokenSource(WakeUps.Patience, guards);
        await system.Wake(bound.Token);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The reminder of system {System} came to a silo that has no such system")]
    private partial void LogUnknown(string system);
}
