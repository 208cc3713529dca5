using System.Globalization;
using System.Numerics;

namespace Client.Logs;

/// <summary>A name under which a rotation keeps a file: <c>app.log.1</c>, <c>app.log-20261130.gz</c>, <c>app-2026-11-30.log</c>.</summary>
/// <param name="Numbers">The numbers in what the rotation added: one small one counts rotations, others are a date and what tells files of
/// one date apart.</param>
/// <param name="Packing">The ending of what packed it, with its dot; empty for a file as it was.</param>
internal sealed record RotatedName(string Name, IReadOnlyList<BigInteger> Numbers, string Packing)
{
    /// <summary>The packing that can be read.</summary>
    public const string Gzip = ".gz";

    /// <summary>A number with more digits is a date.</summary>
    private const int DigitsOfAnIndex = 5;

    private static readonly string[] s_packings = [Gzip, ".xz", ".bz2", ".zst", ".zip", ".lz4", ".Z"];

    private static readonly char[] s_separators = ['.', '-', '_'];

    public bool IsReadable => Packing is "" or Gzip;

    private bool IsIndex => Numbers is [var only] && only < BigInteger.Pow(10, DigitsOfAnIndex);

    /// <summary>Null when the name is not one that a rotation of <paramref name="file"/> leaves.</summary>
    public static RotatedName? Of(string file, string name)
    {
        var packing = s_packings.FirstOrDefault(packing => name.EndsWith(packing, StringComparison.Ordinal)) ?? "";
        var plain = name[..^packing.Length];
        var (stem, ending) = (Path.GetFileNameWithoutExtension(file), Path.GetExtension(file));
        var added =
            plain.Length > file.Length && plain.StartsWith(file, StringComparison.Ordinal) ? plain[file.Length..]
            : ending.Length > 0
            && stem.Length > 0
            && plain.Length > file.Length
            && plain.StartsWith(stem, StringComparison.Ordinal)
            && plain.EndsWith(ending, StringComparison.Ordinal)
                ? plain[stem.Length..^ending.Length]
            : null;
        return added?.TrimStart(s_separators) is [>= '0' and <= '9', ..] key ? new(name, NumbersIn(key), packing) : null;
    }

    /// <summary>
    /// Whether this was rotated after the other, as far as names tell: of counted ones the lower number, of dated ones the later date. Of
    /// different kinds nobody knows.
    /// </summary>
    public bool IsNewerThan(RotatedName other) =>
        IsIndex == other.IsIndex && (IsIndex ? Compare(Numbers, other.Numbers) < 0 : Compare(Numbers, other.Numbers) > 0);

    /// <summary>For a list from the oldest to the newest; of one file, as it was and packed, the one as it was comes last.</summary>
    public static int OldestFirst(RotatedName one, RotatedName other) =>
        one.IsIndex != other.IsIndex ? one.IsIndex.CompareTo(other.IsIndex)
        : one.IsNewerThan(other) ? 1
        : other.IsNewerThan(one) ? -1
        : string.CompareOrdinal(other.Packing, one.Packing);

    private static int Compare(IReadOnlyList<BigInteger> one, IReadOnlyList<BigInteger> other)
    {
        foreach (var (left, right) in one.Zip(other))
        {
            if (left != right)
            {
                return left.CompareTo(right);
            }
        }

        return one.Count.CompareTo(other.Count);
    }

    private static List<BigInteger> NumbersIn(string key)
    {
        var numbers = new List<BigInteger>();
        for (var at = 0; at < key.Length; )
        {
            var end = at;
            while (end < key.Length && char.IsAsciiDigit(key[end]))
            {
                end++;
            }

            if (end > at)
            {
                numbers.Add(BigInteger.Parse(key.AsSpan(at, end - at), NumberStyles.None, CultureInfo.InvariantCulture));
            }

            at = end + 1;
        }

        return numbers;
    }
}
