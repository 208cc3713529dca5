namespace Grains.Crawling.Workers;

/// <summary>
/// The proof, good for a few seconds, that this silo is a member of its cluster. Requests to the web are made under it: so when a silo was
/// declared dead and runs all the same, its requests have ended <see cref="Duration"/> later, and others may ask the same hosts.
/// </summary>
public interface IMembershipLease
{
    /// <summary>
    /// How long the proof is good for, from the start of the read that gave it. So long after a silo was declared dead it has
    /// no request under way, and starts none. A process that was stopped between this check and its request can still send that one
    /// request when it continues.
    /// </summary>
    static TimeSpan Duration { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Does the work while the silo is known to be a member; waits until that is known.</summary>
    /// <param name="work">Its token is cancelled when the proof expires, or with <paramref name="cancel"/>.</param>
    /// <exception cref="OperationCanceledException">The proof expired or was not to be had in time, or the caller cancelled.</exception>
    Task<T> Hold<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancel);
}
