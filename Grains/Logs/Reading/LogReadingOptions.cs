using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Grains.Logs.Reading;

/// <summary>What is set from outside for questions about stored records, for the whole silo.</summary>
public sealed class LogReadingOptions
{
    public const string Section = "Logs";

    [Description(
        "Searches and counts that this silo answers at once. Others wait for 5 s, 16 of them at most, and are then told that it is busy."
    )]
    [Range(1, 64)]
    public int Queries { get; set; } = 2;

    [Description(
        "Statements of SQL that this silo runs at once, each in a process of its own that may take Logs:QueryMemory and 256 "
            + "MiB. Others wait for 5 s, 16 of them at most, and are then told that it is busy. One process is kept for a "
            + "minute after it was last used."
    )]
    [Range(1, 16)]
    public int SqlProcesses { get; set; } = 2;

    [Description(
        "Memory that one query may take in the database that reads the segments. One that needs more stops and says so. The "
            + "process of a statement of SQL may have 256 MiB more in all; one that takes more is ended."
    )]
    [Range(64L * 1024 * 1024, 64L * 1024 * 1024 * 1024)]
    public long QueryMemory { get; set; } = 256L * 1024 * 1024;

    [Description(
        "How long one query may work; waiting for whoever reads the answer does not count. One that takes longer stops and says "
            + "so. Statements of SQL and counts end 25 s after they were asked, whatever is set: a call between silos lasts 30 s."
    )]
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan QueryTime { get; set; } = TimeSpan.FromSeconds(20);

    [Description(
        "Bytes of segments that are kept on this machine for queries, where the store is elsewhere. The ones not used for longest go first."
    )]
    [Range(64L * 1024 * 1024, 1024L * 1024 * 1024 * 1024)]
    public long CacheBytes { get; set; } = 4L * 1024 * 1024 * 1024;

    /// <summary>
    /// From the question to the answer of what is answered in one call, with all waiting: well below the 30 s of a call
    /// (<c>MessagingOptions.ResponseTimeout</c>).
    /// </summary>
    public static readonly TimeSpan MaxCall = TimeSpan.FromSeconds(25);

    /// <summary>How long a query that is answered in one call may work.</summary>
    /// <param name="waited">Since it was asked.</param>
    public TimeSpan CallTime(TimeSpan waited) => TimeSpan.FromTicks(Math.Clamp((MaxCall - waited).Ticks, 0, QueryTime.Ticks));

    /// <summary>
    /// Memory that the process of a statement may have in all: beside the database's own there are the runtime, and values that functions
    /// make and the database does not count.
    /// </summary>
    public long SqlProcessBytes() => QueryMemory + (256L * 1024 * 1024);
}
