using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Grains.Crawling.Frontier;

/// <summary>
/// A set of texts, remembered by 64-bit keyed hashes: 10 to 16 bytes a text, whatever its length.
/// </summary>
/// <remarks>
/// Two different texts are taken for one with odds of n²/2⁶⁵ for n texts in all: 3·10⁻⁸ for a million, 7·10⁻⁷ for five million.
/// The key is random and never leaves memory, so that nobody can prepare two texts that meet.
/// Open addressing with linear probing; a load between 0.50 and 0.80 (growth by 1.6).
/// </remarks>
public sealed class FingerprintSet(long key)
{
    private const double MaxLoad = 0.8;
    private const double Growth = 1.6;

    private ulong[] _slots = new ulong[64];

    public int Count { get; private set; }

    /// <summary>Bytes that it holds.</summary>
    public long Bytes => (long)_slots.Length * sizeof(ulong);

    /// <summary>True when the text is new.</summary>
    public bool Add(string text)
    {
        if (Count + 1 > _slots.Length * MaxLoad)
        {
            Grow();
        }

        if (!Insert(_slots, Fingerprint(text)))
        {
            return false;
        }

        Count++;
        return true;
    }

    public bool Contains(string text)
    {
        var fingerprint = Fingerprint(text);
        var slot = Slot(fingerprint, _slots.Length);
        while (_slots[slot] != 0)
        {
            if (_slots[slot] == fingerprint)
            {
                return true;
            }

            slot = slot + 1 == _slots.Length ? 0 : slot + 1;
        }

        return false;
    }

    private ulong Fingerprint(string text)
    {
        var hash = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text.AsSpan()), key);
        return hash == 0 ? 1 : hash; // 0 marks an empty slot
    }

    private void Grow()
    {
        var larger = new ulong[(int)(_slots.Length * Growth)];
        foreach (var fingerprint in _slots)
        {
            if (fingerprint != 0)
            {
                Insert(larger, fingerprint);
            }
        }

        _slots = larger;
    }

    private static bool Insert(ulong[] slots, ulong fingerprint)
    {
        var slot = Slot(fingerprint, slots.Length);
        while (slots[slot] != 0)
        {
            if (slots[slot] == fingerprint)
            {
                return false;
            }

            slot = slot + 1 == slots.Length ? 0 : slot + 1;
        }

        slots[slot] = fingerprint;
        return true;
    }

    /// <summary>Multiplies instead of dividing: any length will do, not just powers of two.</summary>
    private static int Slot(ulong fingerprint, int length) => (int)Math.BigMul(fingerprint, (ulong)length, out _);
}
