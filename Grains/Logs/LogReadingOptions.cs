using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Grains.Logs;

/// <summary>What is set from outside for questions about stored records, for the whole silo.</summary>
public sealed class LogReadingOptions
{
    public const string Section = "Logs";

    [Description("Queries and statements of SQL that this silo answers at once. Others wait for a few seconds, and are then told that it is busy.")]
    [Range(1, 64)]
    public int Queries { get; set; } = 2;

    [Description("Memory that one query may take in the database that reads the segments. One that needs more stops and says so.")]
    [Range(64L * 1024 * 1024, 64L * 1024 * 1024 * 1024)]
    public long QueryMemory { get; set; } = 256L * 1024 * 1024;

    [Description("How long one query may work; waiting for whoever reads the answer does not count. One that takes longer stops and says so.")]
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan QueryTime { get; set; } = TimeSpan.FromSeconds(30);

    [Description("Bytes of segments that are kept on this machine for queries, where the store is elsewhere. The ones not used for longest go first.")]
    [Range(64L * 1024 * 1024, 1024L * 1024 * 1024 * 1024)]
    public long CacheBytes { get; set; } = 4L * 1024 * 1024 * 1024;
}
