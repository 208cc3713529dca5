namespace Grains.Logs;

/// <summary>Bounds of the pipeline that nobody needs to set.</summary>
public static class LogLimits
{
    /// <summary>
    /// So long after it left the manifest an object may still be read by a query that began before; longer than any query may take.
    /// </summary>
    public static readonly TimeSpan ReadersNeed = TimeSpan.FromMinutes(5);

    /// <summary>Counts by hour and service are kept for so long; the sums for ever.</summary>
    public static readonly TimeSpan CountsKept = TimeSpan.FromDays(400);

    /// <summary>
    /// Objects that no row names are looked for so often. They come from a process that died between storing one and committing its row.
    /// </summary>
    public static readonly TimeSpan SweepEvery = TimeSpan.FromDays(1);

    /// <summary>So often a shard looks whether the files of its segments are there and have their size.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <summary>And when somebody asks how it stands, if it has not looked for so long.</summary>
    public static readonly TimeSpan LookWhenAsked = TimeSpan.FromSeconds(1);

    /// <summary>What a record takes in memory at least, for saying how many records a buffer may hold at most.</summary>
    public const int SmallestRecordBytes = 65;
}
