namespace Grains.Storage;

/// <summary>
/// The keys k with <paramref name="From"/> ≤ k &lt; <paramref name="To"/>, by byte. Bounds are printable ASCII, at most one character
/// longer than a key.
/// </summary>
public readonly record struct KeyRange(string From, string To)
{
    /// <summary>Greater than every key: <c>~</c> is the last character a key can have, DEL comes after it.</summary>
    private const string End = "\u007f";

    /// <summary>Every key of the partition.</summary>
    public static KeyRange All { get; } = new("", End);

    /// <summary>Every key that starts with <paramref name="prefix"/>.</summary>
    public static KeyRange Prefix(string prefix) => new(prefix, prefix + End);

    /// <summary>What remains of this range after <paramref name="key"/>. A space is less than every character of a key.</summary>
    public KeyRange After(string key) => new(key + " ", To);

    public bool Contains(string key) => string.CompareOrdinal(From, key) <= 0 && string.CompareOrdinal(key, To) < 0;
}
