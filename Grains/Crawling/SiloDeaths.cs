using System.Collections.Concurrent;
using Grains.Crawling.Workers;
using Microsoft.Extensions.DependencyInjection;

namespace Grains.Crawling;

/// <summary>
/// Tells the hosts in memory of this silo when a silo of the cluster was declared dead: its workers' leases need not be waited out, for
/// <see cref="IMembershipLease.Duration"/> later they have no request under way.
/// </summary>
public sealed class SiloDeaths(ISiloStatusOracle silos, [FromKeyedServices(Clocks.Guards)] TimeProvider guards)
    : ISiloStatusListener,
        ILifecycleParticipant<ISiloLifecycle>
{
    private readonly ConcurrentDictionary<object, Action<string>> _listeners = new();
    private readonly ConcurrentDictionary<string, bool> _dead = new(StringComparer.Ordinal);
    private long _last = guards.GetTimestamp();

    /// <summary>Since this silo learned of the last death, or since its own start: it may have missed those before.</summary>
    public TimeSpan SinceLast => guards.GetElapsedTime(Volatile.Read(ref _last));

    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(SiloDeaths), ServiceLifecycleStage.RuntimeInitialize, Start);

    /// <summary>From now on <paramref name="died"/> is called with the address of a silo that died, from any thread.</summary>
    public void Join(object listener, Action<string> died) => _listeners[listener] = died;

    public void Leave(object listener) => _listeners.TryRemove(listener, out _);

    /// <param name="silo">An address as <see cref="SiloAddress.ToParsableString"/> writes it; null is nobody, who is not dead.</param>
    public bool IsDead(string? silo) =>
        silo is not null && (_dead.ContainsKey(silo) || silos.IsDeadSilo(SiloAddress.FromParsableString(silo)));

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        if (status != SiloStatus.Dead)
        {
            return;
        }

        var dead = updatedSilo.ToParsableString();
        _dead[dead] = true;
        Volatile.Write(ref _last, guards.GetTimestamp());
        foreach (var died in _listeners.Values)
        {
            died(dead);
        }
    }

    private Task Start(CancellationToken cancel)
    {
        silos.SubscribeToSiloStatusEvents(this);
        return Task.CompletedTask;
    }
}
