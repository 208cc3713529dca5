namespace Grains.Crawling.Frontier;

/// <summary>
/// When a temporary failure is tried again: <paramref name="first"/> after the first try, twice as long after each further one, a fifth of
/// it by chance,
/// never longer than <paramref name="longest"/>. What the server asks for (Retry-After, RFC 9110 §10.2.3) wins, up to the same limit.
/// </summary>
/// <param name="chance">0 ≤ x &lt; 1, anew at each call.</param>
public sealed class RetryPolicy(int attempts, TimeSpan first, TimeSpan longest, Func<double> chance)
{
    /// <summary>Null: that was the last try.</summary>
    /// <param name="attempts">Tries so far, at least 1.</param>
    public TimeSpan? Wait(int attempts, TimeSpan? retryAfter)
    {
        if (attempts >= MaxAttempts)
        {
            return null;
        }

        return BackOff(attempts, retryAfter);
    }

    /// <summary>The wait after so many tries, at least 1, whether or not there is to be another one.</summary>
    public TimeSpan BackOff(int attempts, TimeSpan? retryAfter)
    {
        // Twenty doublings of a tenth of a second are a day and more.
        var wait = retryAfter ?? first * Math.Pow(2, Math.Min(attempts - 1, 20)) * (0.9 + (0.2 * chance()));
        return wait < longest ? wait : longest;
    }

    public int MaxAttempts { get; } = attempts;
}
