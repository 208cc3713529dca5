using Grains.Interfaces.Logs;
using Grains.Logs.Records;

namespace Grains.Logs.Segments;

/// <summary>Makes one segment of several: the same records, sorted anew, in larger row groups that compress better.</summary>
public static class SegmentMerge
{
    /// <summary>
    /// zstd's level that pays where nobody waits: on real lines 3 makes a fifth of what is there at level 1 go for 0.1 µs a record, 6
    /// another tenth for 0.3 µs, and 9 hardly anything for twice the time.
    /// </summary>
    public const int Level = 6;

    /// <param name="segments">Whole segments, one at least.</param>
    /// <param name="level">zstd's level: nobody waits, so it may be high.</param>
    /// <exception cref="InvalidDataException">One of them is no segment.</exception>
    public static WrittenSegment Merge(IReadOnlyList<ReadOnlyMemory<byte>> segments, int level)
    {
        var blocks = new List<LogBlock>();
        try
        {
            foreach (var segment in segments)
            {
                blocks.AddRange(SegmentReader.Read(segment));
            }

            return SegmentWriter.Write(blocks, level);
        }
        finally
        {
            blocks.ForEach(LogBlockBuilder.Return);
        }
    }
}
