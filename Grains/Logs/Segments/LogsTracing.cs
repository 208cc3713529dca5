using System.Diagnostics;

namespace Grains.Logs.Segments;

/// <summary>
/// Where the pipeline's steps are told apart: each begins and ends an activity, when somebody listens. Tests stop a process at these points
/// from outside.
/// </summary>
public static class LogsTracing
{
    public const string Name = "Logs";

    /// <summary>From bytes to records.</summary>
    public const string Decode = "logs decode";

    /// <summary>A segment goes to the blob store.</summary>
    public const string Put = "logs put";

    /// <summary>The commit that makes it part of the log.</summary>
    public const string Commit = "logs commit";

    /// <summary>A merged segment goes to the blob store.</summary>
    public const string MergePut = "logs merge put";

    /// <summary>The commit that replaces segments by a merged one.</summary>
    public const string MergeCommit = "logs merge commit";

    public static ActivitySource Source { get; } = new(Name);
}
