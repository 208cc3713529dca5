using System.Collections.Immutable;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Reading;

/// <summary>Says which segments there are.</summary>
public interface ISegmentSource
{
    /// <summary>
    /// All that are kept now, merged ones in place of what they hold: what was acknowledged before this was called is in them.
    /// </summary>
    /// <exception cref="Exception">Nothing at all is known of them now.</exception>
    Task<KeptSegments> Segments(CancellationToken cancel = default);
}

/// <summary>The segments that are kept, as far as is known.</summary>
/// <param name="All">Of a shard that does not answer, those that were known before.</param>
/// <param name="Shards">Shards that do not answer: of what is in them, something may be missing.</param>
public readonly record struct KeptSegments(ImmutableArray<LogSegment> All, ImmutableArray<SegmentFault> Shards);

/// <summary>A segment that cannot be read now.</summary>
/// <param name="Reason">The end of a sentence that begins with its name; no path of this machine.</param>
/// <param name="MayPass">It may have been merged or deleted since it was named, or its copy may be at fault: it is unreadable when this is
/// found a second time.</param>
public readonly record struct SegmentFault(string Name, string Reason, bool MayPass)
{
    /// <summary>Why a segment whose content is not what was written cannot be read.</summary>
    public const string Damaged = "is damaged";

    public const string Forbidden = "may not be read by this silo's user";

    /// <summary>A shard that cannot be opened, or whose silo is away.</summary>
    public static SegmentFault Shard(int number) => new($"shard {number}", "does not answer", MayPass: false);

    /// <summary>There is no such object.</summary>
    public static SegmentFault Missing(string name) => new(name, "is missing", MayPass: true);
}

/// <summary>Some of the segments that were asked for cannot be read.</summary>
public sealed class SegmentsUnreadableException(ImmutableArray<SegmentFault> faults, Exception? inner = null)
    : IOException($"{faults.Length} segments cannot be read; the first: {faults[0].Name} {faults[0].Reason}.", inner)
{
    /// <summary>One at least.</summary>
    public ImmutableArray<SegmentFault> Faults => faults;
}
