using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Grains.Net;

/// <summary>
/// A set of IP address ranges, such as those private ones that may be connected to. Two with the same ranges are equal.
/// An IPv4 address in IPv6 clothes (<c>::ffff:10.0.0.1</c>) is that IPv4 address.
/// </summary>
public sealed class AddressRanges : IEquatable<AddressRanges>
{
    /// <summary>More are refused: every connection looks through all.</summary>
    public const int MaxRanges = 100;

    private readonly ImmutableArray<IPNetwork> _ranges;
    private readonly string _text;

    private AddressRanges(ImmutableArray<IPNetwork> ranges)
    {
        _ranges = ranges;
        _text = string.Join(", ", ranges);
    }

    /// <summary>No address at all.</summary>
    public static AddressRanges None { get; } = new([]);

    public bool IsEmpty => _ranges.IsEmpty;

    /// <summary>
    /// Ranges (<c>10.0.0.0/8</c>, <c>fd00::/8</c>) and single addresses between commas, as they stand in settings. Nothing between them is
    /// nothing.
    /// </summary>
    public static bool TryParse(
        string? commaSeparated,
        [NotNullWhen(true)] out AddressRanges? ranges,
        [NotNullWhen(false)] out string? error
    ) =>
        TryParse(
            (commaSeparated ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            out ranges,
            out error
        );

    /// <param name="texts">One range or single address each.</param>
    /// <param name="ranges">Null when one of the texts is none.</param>
    /// <param name="error">A sentence that names the text which is wrong, and what would be right.</param>
    public static bool TryParse(
        IEnumerable<string> texts,
        [NotNullWhen(true)] out AddressRanges? ranges,
        [NotNullWhen(false)] out string? error
    )
    {
        ranges = null;
        var parsed = new SortedDictionary<string, IPNetwork>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            if (!TryParseOne(text.Trim(), out var range, out error))
            {
                return false;
            }

            parsed[range.ToString()] = range;
            if (parsed.Count > MaxRanges)
            {
                error = $"There are more than {MaxRanges} address ranges: write fewer and wider ones.";
                return false;
            }
        }

        error = null;
        ranges = parsed.Count == 0 ? None : new([.. parsed.Values]);
        return true;
    }

    public bool Contains(IPAddress address)
    {
        var plain = PrivateAddresses.Plain(address);
        foreach (var range in _ranges)
        {
            if (range.Contains(plain))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Each range lies in one of <paramref name="outer"/>'s. None is within everything.</summary>
    public bool IsWithin(AddressRanges outer)
    {
        foreach (var range in _ranges)
        {
            if (!outer._ranges.Any(wider => wider.PrefixLength <= range.PrefixLength && wider.Contains(range.BaseAddress)))
            {
                return false;
            }
        }

        return true;
    }

    public bool Equals(AddressRanges? other) => other is not null && _text == other._text;

    public override bool Equals(object? obj) => Equals(obj as AddressRanges);

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    /// <summary>The ranges in order, between commas: parsing it gives an equal set.</summary>
    public override string ToString() => _text;

    private static bool TryParseOne(string text, out IPNetwork range, [NotNullWhen(false)] out string? error)
    {
        error = null;
        range = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (start, prefix) = slash < 0 ? (text, null) : (text[..slash], text[(slash + 1)..]);

        // IPAddress also takes "10" and "010.1": whoever writes that means something else.
        if (
            !IPAddress.TryParse(start, out var address)
            || start.Contains('%', StringComparison.Ordinal)
            || (!start.Contains(':', StringComparison.Ordinal) && address.ToString() != start)
        )
        {
            error = $"\"{text}\" is not an address range: write one like 10.0.0.0/8 or fd00::/8, or a single address like 127.0.0.1.";
            return false;
        }

        var bits = address.GetAddressBytes().Length * 8;
        var length = bits;
        if (
            prefix is not null
            && (
                !int.TryParse(prefix, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out length)
                || length > bits
            )
        )
        {
            error = $"\"{text}\" is not an address range: behind the slash stands a number from 0 to {bits}.";
            return false;
        }

        var kept = Masked(address, length);
        if (!kept.Equals(address))
        {
            error = $"\"{text}\" is not an address range: bits are set beyond the first {length}. Write {kept}/{length}.";
            return false;
        }

        if (address.IsIPv4MappedToIPv6 && length >= 96)
        {
            (address, length) = (address.MapToIPv4(), length - 96);
        }

        range = new(address, length);
        return true;
    }

    private static IPAddress Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(length - i * 8, 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - kept));
        }

        return new(bytes);
    }
}
