using System.Buffers;
using System.Runtime.CompilerServices;

namespace Grains.Logs.Queries;

/// <summary>
/// Looks for bytes where letters A to Z match either case and every other byte only itself. Without allocating; a probe for the
/// rarest-looking byte is vectorised.
/// </summary>
internal sealed class FoldedText
{
    private readonly byte[] _lower;
    private readonly SearchValues<byte> _probe;
    private readonly int _probeAt;

    /// <param name="lower">What is looked for, with A to Z in lower case.</param>
    public FoldedText(byte[] lower)
    {
        _lower = lower;
        for (var at = 0; at < lower.Length; at++)
        {
            if (Frequency(lower[at]) < Frequency(lower[_probeAt]))
            {
                _probeAt = at;
            }
        }

        var probe = lower.Length == 0 ? (byte)0 : lower[_probeAt];
        _probe = IsLetter(probe) ? SearchValues.Create(probe, (byte)(probe - 32)) : SearchValues.Create(probe);
    }

    public int Length => _lower.Length;

    /// <summary>Where it is found first, or -1.</summary>
    public int FindIn(ReadOnlySpan<byte> text)
    {
        if (_lower.Length == 0)
        {
            return 0;
        }

        for (var start = 0; text.Length - start >= _lower.Length; start++)
        {
            var next = text[(start + _probeAt)..(text.Length - _lower.Length + _probeAt + 1)].IndexOfAny(_probe);
            if (next < 0)
            {
                return -1;
            }

            start += next;
            if (IsAt(text[start..]))
            {
                return start;
            }
        }

        return -1;
    }

    public bool Begins(ReadOnlySpan<byte> text) => text.Length >= _lower.Length && IsAt(text);

    public bool Ends(ReadOnlySpan<byte> text) => text.Length >= _lower.Length && IsAt(text[^_lower.Length..]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsAt(ReadOnlySpan<byte> text)
    {
        var lower = _lower;
        for (var at = 0; at < lower.Length; at++)
        {
            var value = text[at];
            if (value != lower[at] && !(value is >= (byte)'A' and <= (byte)'Z' && value + 32 == lower[at]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsLetter(byte value) => value is >= (byte)'a' and <= (byte)'z';

    /// <summary>Roughly how often a byte stands in log lines: what is rare finds fewer false starts.</summary>
    private static int Frequency(byte value) =>
        value switch
        {
            (byte)' ' => 10,
            (byte)'e' or (byte)'t' or (byte)'a' or (byte)'o' or (byte)'i' or (byte)'n' or (byte)'s' or (byte)'r' => 9,
            (byte)'0' or (byte)'1' or (byte)'2' or (byte)'.' or (byte)':' => 8,
            (byte)'l' or (byte)'c' or (byte)'d' or (byte)'u' or (byte)'m' or (byte)'p' => 7,
            >= (byte)'3' and <= (byte)'9' => 6,
            >= (byte)'a' and <= (byte)'z' => 3,
            _ => 4,
        };
}
