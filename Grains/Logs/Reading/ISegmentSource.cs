using System.Collections.Immutable;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Reading;

/// <summary>Says which segments there are.</summary>
public interface ISegmentSource
{
    /// <summary>All that are kept now, merged ones in place of what they hold: what was acknowledged before this was called is in them.</summary>
    Task<ImmutableArray<LogSegment>> Segments(CancellationToken cancel = default);
}

/// <summary>A segment was merged or deleted after it was named: ask for the segments anew.</summary>
public sealed class SegmentGoneException(string name, Exception? inner = null) : IOException($"The segment «{name}» is not there any more.", inner)
{
    public string Name { get; } = name;
}
