using System.Buffers.Binary;
using System.IO.Hashing;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Segments;

/// <summary>
/// Which trace ids a segment may hold: a Bloom filter of 10 bits an id with 7 probes, which is wrong for one id in about 120 that are not there, and never for one that is
/// (Bloom 1970; probes by double hashing, Kirsch and Mitzenmacher 2006).
/// </summary>
/// <remarks>The first byte is the format; the rest is the bits. Empty where there would be more than <see cref="MaxBytes"/>: then any id may be there. One byte: no id is there.</remarks>
public static class TraceFilter
{
    /// <summary>A filter lies in the manifest, which readers and the shard hold in memory.</summary>
    public const int MaxBytes = 16 * 1024;

    private const byte Format = 1;
    private const int BitsPerId = 10;
    private const int Probes = 7;

    public static ReadOnlyMemory<byte> Of(IReadOnlyList<LogBlock> blocks)
    {
        var hashes = new HashSet<ulong>();
        foreach (var block in blocks)
        {
            var ids = block.TraceIds;
            for (var at = 0; at < ids.Length; at += 16)
            {
                var id = ids.Slice(at, 16);
                if (id.ContainsAnyExcept((byte)0))
                {
                    hashes.Add(Hash(id));
                }
            }
        }

        if (hashes.Count == 0)
        {
            return new byte[] { Format };
        }

        var bytes = (((long)hashes.Count * BitsPerId) + 7) / 8;
        if (bytes >= MaxBytes)
        {
            return default;
        }

        var filter = new byte[1 + Math.Max(8, (int)bytes)];
        filter[0] = Format;
        var bits = (uint)(filter.Length - 1) * 8;
        foreach (var hash in hashes)
        {
            for (uint probe = 0; probe < Probes; probe++)
            {
                var bit = Bit(hash, probe, bits);
                filter[1 + (bit >> 3)] |= (byte)(1 << (int)(bit & 7));
            }
        }

        return filter;
    }

    /// <summary>False: certainly not.</summary>
    /// <param name="traceId">16 bytes.</param>
    public static bool MayHold(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> traceId)
    {
        if (filter.IsEmpty || filter[0] != Format)
        {
            return true;
        }

        if (filter.Length == 1)
        {
            return false;
        }

        var hash = Hash(traceId);
        var bits = (uint)(filter.Length - 1) * 8;
        for (uint probe = 0; probe < Probes; probe++)
        {
            var bit = Bit(hash, probe, bits);
            if ((filter[(int)(1 + (bit >> 3))] & (1 << (int)(bit & 7))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static ulong Hash(ReadOnlySpan<byte> traceId) =>
        XxHash3.HashToUInt64(traceId[..16], seed: BinaryPrimitives.ReadInt32LittleEndian("logs"u8));

    private static uint Bit(ulong hash, uint probe, uint bits) => (uint)(((uint)hash + (probe * ((uint)(hash >> 32) | 1))) % bits);
}
