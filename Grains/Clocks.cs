using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Grains;

/// <summary>
/// The two clocks of a silo. The schedule (retries, delays, retention, back-off: whatever says when something becomes due) is its
/// <see cref="TimeProvider"/>.
/// Guards of work in flight are on a second one, under the key <see cref="Guards"/>: time-outs, leases, deadlines of calls, what readers in
/// flight still need.
/// In production both are the same clock; a test can move the schedule without ending work (docs/decisions/0009-two-clocks.md).
/// </summary>
public static class Clocks
{
    /// <summary>The key of the <see cref="TimeProvider"/> of the guards: <c>[FromKeyedServices(Clocks.Guards)]</c>.</summary>
    public const string Guards = "guards";

    /// <summary>Guards go by the silo's <see cref="TimeProvider"/>, unless another one was registered for them.</summary>
    public static void TryAddGuards(this IServiceCollection services) =>
        services.TryAddKeyedSingleton<TimeProvider>(Guards, static (provider, _) => provider.GetRequiredService<TimeProvider>());
}
