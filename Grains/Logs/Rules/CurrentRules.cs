using Grains.Interfaces.Logs;
using Microsoft.Extensions.DependencyInjection;

namespace Grains.Logs.Rules;

/// <summary>
/// The rules as this process knows them. A change is known after <see cref="Staleness"/>: who asks then waits for the grain's answer;
/// before, asking costs nothing.
/// Rules that are asked for all the time are read ahead, so that nobody waits.
/// </summary>
/// <remarks>
/// Thread-safe. One read at a time. The same rules keep their <see cref="RuleSet"/>, and so the counts of <c>sample n/s</c>.
/// </remarks>
public sealed class CurrentRules(
    Func<ILogRulesGrain> rules,
    TimeProvider clock,
    [FromKeyedServices(Clocks.Guards)] TimeProvider guards,
    Func<double> chance
)
{
    /// <summary>A change is known after this.</summary>
    public static readonly TimeSpan Staleness = TimeSpan.FromSeconds(1);

    /// <summary>
    /// While the grain does not answer, what was known last is good for so long; then nothing is let in: a redaction may have been added.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private Known? _known;
    private Task<Known>? _reading;

    /// <summary>The rules, not older than <see cref="Staleness"/>; completed at once in the usual case.</summary>
    /// <exception cref="RulesUnavailableException">They cannot be read, or one of them is of a later version: answer that the sender is to
    /// come again.</exception>
    public ValueTask<RuleSet> Now(CancellationToken cancel = default)
    {
        if (Volatile.Read(ref _known) is { } known && clock.GetElapsedTime(known.ReadAt) is var age && age < Staleness)
        {
            if (age > Staleness / 2)
            {
                // Read ahead. What fails is read again for the next who asks, and the one who has to wait for it is told.
                Unawaited.Observe(Read(), static _ => { });
            }

            return new(known.Set);
        }

        return new(Wait(cancel));
    }

    private async Task<RuleSet> Wait(CancellationToken cancel)
    {
        try
        {
            return (await Read().WaitAsync(cancel)).Set;
        }
        catch (Exception failure) when (!cancel.IsCancellationRequested)
        {
            // Whatever the cluster has: for a while it is better to go by the rules of a moment ago than to turn everything away.
            return Volatile.Read(ref _known) is { } known && clock.GetElapsedTime(known.ReadAt) < Patience
                ? known.Set
                : throw new RulesUnavailableException(failure);
        }
    }

    /// <summary>One read for all who wait for it.</summary>
    private Task<Known> Read()
    {
        lock (_gate)
        {
            return _reading is null or { IsCompleted: true } ? _reading = ReadOnce() : _reading;
        }

        async Task<Known> ReadOnce()
        {
            await Task.Yield();
            var at = clock.GetTimestamp();
            var before = Volatile.Read(ref _known);
            var changed = await rules().Since(before?.Revision ?? -1).WaitAsync(ReadTimeout, guards, CancellationToken.None);
            var known = changed is null
                ? before! with
                {
                    ReadAt = at,
                }
                : new Known(changed.Revision, new([.. changed.Rules.Select(LogRule.Parse)], chance), at);
            Volatile.Write(ref _known, known);
            return known;
        }
    }

    private sealed record Known(long Revision, RuleSet Set, long ReadAt);
}

/// <summary>Nobody knows which rules there are.</summary>
public sealed class RulesUnavailableException(Exception cause) : Exception("The rules of the log cannot be read.", cause);
