using System.Runtime.InteropServices;
using Grains.Interfaces.Logs;
using ParquetSharp;
using ParquetSharp.IO;

namespace Grains.Logs.Segments;

/// <summary>
/// Writes records as one Parquet file with zstd (<see cref="SegmentSchema"/>), sorted by service and time. The texts go from the blocks'
/// memory to the encoder
/// without a copy or an object per record.
/// </summary>
public static class SegmentWriter
{
    /// <summary>Records of one row group: what a reader unpacks at once.</summary>
    public const int RowGroupRecords = 64 * 1024;

    /// <summary>
    /// Records are packed to a fourth of their bytes or less; what is packed worse grows the memory that was taken for it.
    /// </summary>
    private const int SmallestRatio = 4;

    private const int SmallestRoom = 64 * 1024;
    private const int LargestRoom = 32 * 1024 * 1024;

    /// <summary>zstd's level where somebody waits; <see cref="SegmentMerge.Level"/> where nobody does.</summary>
    public const int QuickLevel = 1;

    /// <param name="level">zstd's level: <see cref="QuickLevel"/> where somebody waits for it.</param>
    /// <returns>The file, and what its manifest row says about it.</returns>
    public static WrittenSegment Write(IReadOnlyList<LogBlock> blocks, int level)
    {
        using var properties = Properties(level);
        return Write(blocks, properties, RowGroupRecords);
    }

    internal static WrittenSegment Write(IReadOnlyList<LogBlock> blocks, WriterProperties properties, int rowGroupRecords)
    {
        var order = RecordOrder.Of(blocks);
        // Room for all of it at once, as a rule: a stream that grows by doubling throws as much away again.
        var memory = new MemoryStream(
            (int)Math.Clamp(blocks.Sum(block => (long)block.Bytes.Length) / SmallestRatio, SmallestRoom, LargestRoom)
        );
        using (var pinned = new PinnedBlocks(blocks))
        using (var output = new ManagedOutputStream(memory, leaveOpen: true))
        using (var file = new ParquetFileWriter(output, SegmentSchema.Node, properties))
        {
            var columns = new SegmentColumns(blocks, pinned);
            foreach (var rows in order.Chunk(rowGroupRecords))
            {
                using var group = file.AppendRowGroup();
                columns.Write(group, rows);
            }

            file.Close();
        }

        return new(memory.GetBuffer().AsMemory(0, (int)memory.Length), SegmentFacts.Of(blocks));
    }

    private static WriterProperties Properties(int level)
    {
        using var builder = new WriterPropertiesBuilder();
        builder.Compression(Compression.Zstd).CompressionLevel(level).DisableDictionary();
        foreach (var name in SegmentSchema.FewValues)
        {
            builder.EnableDictionary(name);
        }

        foreach (var name in SegmentSchema.Rising)
        {
            builder.Encoding(name, Encoding.DeltaBinaryPacked);
        }

        foreach (var name in SegmentSchema.Ids)
        {
            builder.Encoding(name, Encoding.DeltaLengthByteArray);
        }

        return builder.CreatedBy("Orleans log pipeline").Build();
    }
}

/// <summary>A segment that is encoded and not stored yet.</summary>
public sealed record WrittenSegment(ReadOnlyMemory<byte> Content, SegmentFacts Facts);

/// <summary>The blocks' memory, held in place while native code reads it.</summary>
internal sealed class PinnedBlocks : IDisposable
{
    private readonly List<GCHandle> _handles = [];

    public PinnedBlocks(IReadOnlyList<LogBlock> blocks)
    {
        Heaps = new nint[blocks.Count];
        for (var index = 0; index < blocks.Count; index++)
        {
            var bytes = blocks[index].Bytes;
            if (!MemoryMarshal.TryGetArray(bytes, out var array))
            {
                array = bytes.ToArray();
            }

            var handle = GCHandle.Alloc(array.Array, GCHandleType.Pinned);
            _handles.Add(handle);
            Heaps[index] = handle.AddrOfPinnedObject() + array.Offset + (array.Count - blocks[index].Heap.Length);
        }
    }

    /// <summary>Where each block's heap begins.</summary>
    public nint[] Heaps { get; }

    public void Dispose()
    {
        foreach (var handle in _handles)
        {
            handle.Free();
        }

        _handles.Clear();
    }
}
