using System.Buffers.Binary;
using System.IO.Hashing;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Segments;

/// <summary>
/// Which trace ids a segment may hold: a Bloom filter of 10 bits an id, or of fewer where there are many, and never wrong for an id that is
/// there (Bloom 1970; probes by double hashing,
/// Kirsch and Mitzenmacher 2006). For one that is not it is wrong once in 120 times with 10 bits an id, once in 11 with 5, once in 2.6 with
/// 2.
/// </summary>
/// <remarks>
/// The first byte is 16 + the number of probes; the rest is the bits. Empty where so many ids share <see cref="MaxBytes"/> that it would
/// say little: then any id may be there.
/// One byte: no id is there.
/// </remarks>
public static class TraceFilter
{
    /// <summary>A filter lies in the manifest, which readers and the shard hold in memory.</summary>
    public const int MaxBytes = 32 * 1024;

    private const byte Format = 16;
    private const int BitsPerId = 10;
    private const int LeastBitsPerId = 2;
    private const int MostProbes = 7;

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

        var bytes = (int)Math.Min(MaxBytes - 1, (((long)hashes.Count * BitsPerId) + 7) / 8);
        var perId = bytes * 8.0 / hashes.Count;
        if (perId < LeastBitsPerId)
        {
            return default;
        }

        // As many probes as are right most often: ln 2 for each bit of an id.
        var probes = Math.Clamp((uint)Math.Round(perId * Math.Log(2)), 1, MostProbes);
        var filter = new byte[1 + Math.Max(8, bytes)];
        filter[0] = (byte)(Format + probes);
        var bits = (uint)(filter.Length - 1) * 8;
        foreach (var hash in hashes)
        {
            for (uint probe = 0; probe < probes; probe++)
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
        if (filter.IsEmpty || filter[0] is < Format or > Format + MostProbes)
        {
            return true;
        }

        if (filter.Length == 1)
        {
            return false;
        }

        var probes = (uint)(filter[0] - Format);
        var hash = Hash(traceId);
        var bits = (uint)(filter.Length - 1) * 8;
        for (uint probe = 0; probe < probes; probe++)
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
