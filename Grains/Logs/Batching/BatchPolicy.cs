namespace Grains.Logs.Batching;

/// <summary>When what was gathered is worth a segment: enough bytes, enough records, or old enough.</summary>
public sealed class BatchPolicy(TimeSpan linger, int bytes, int records)
{
    /// <summary>How long to wait on; zero: now.</summary>
    /// <param name="gathered">Bytes that were gathered.</param>
    /// <param name="count">Records that were gathered.</param>
    /// <param name="since">When the first of them came.</param>
    public TimeSpan Wait(long gathered, long count, DateTimeOffset since, DateTimeOffset now)
    {
        if (gathered >= bytes || count >= records)
        {
            return TimeSpan.Zero;
        }

        var left = since + linger - now;
        // A clock that was set back makes nobody wait longer than the linger.
        return left < TimeSpan.Zero ? TimeSpan.Zero
            : left > linger ? linger
            : left;
    }
}
