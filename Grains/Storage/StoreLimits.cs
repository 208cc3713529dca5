using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Grains.Storage;

/// <summary>
/// The limits that every store keeps, checked here and nowhere else, so that the embedded store refuses what the cloud's would.
/// Sources: Azure Table Storage's documented limits (100 entities and 4 MiB a transaction, 1 MiB an entity), halved where our own columns
/// need room.
/// </summary>
public static class StoreLimits
{
    /// <summary>Bytes of a row's payload.</summary>
    public const int MaxPayloadBytes = 512 * 1024;

    /// <summary>Characters of a partition or row key, or of a blob's name.</summary>
    public const int MaxKeyLength = 500;

    /// <summary>Distinct rows in one commit.</summary>
    public const int MaxCommitRows = 100;

    /// <summary>Payload bytes in one commit.</summary>
    public const int MaxCommitBytes = 2 * 1024 * 1024;

    /// <summary>Rows in one answer of a scan.</summary>
    public const int MaxScan = 1000;

    /// <summary>Bytes of one blob.</summary>
    public const int MaxBlobBytes = 256 * 1024 * 1024;

    private static readonly SearchValues<char> KeyCharacters = SearchValues.Create(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._~-"
    );

    private static readonly SearchValues<char> TableCharacters = SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyz");

    /// <summary>
    /// A key for any text: 43 characters, the base64url form of its SHA-256. Keep the text in the payload and compare it when reading,
    /// so that two texts never meet in one row.
    /// </summary>
    public static string HashKey(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var bytes =
            Encoding.UTF8.GetMaxByteCount(text.Length) <= 1024
                ? stackalloc byte[1024]
                : new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(text, bytes)], hash);
        return System.Buffers.Text.Base64Url.EncodeToString(hash);
    }

    public static bool IsKey(string text) => text.Length is > 0 and <= MaxKeyLength && !text.AsSpan().ContainsAnyExcept(KeyCharacters);

    public static void CheckTable(string table)
    {
        if (table.Length is < 3 or > 63 || !char.IsAsciiLetterLower(table[0]) || table.AsSpan().ContainsAnyExcept(TableCharacters))
        {
            throw new ArgumentException(
                $"A table's name has 3 to 63 lower-case letters and digits and starts with a letter; this is \"{table}\".",
                nameof(table)
            );
        }
    }

    public static void CheckKey(string key, string what)
    {
        if (!IsKey(key))
        {
            throw new ArgumentException(
                $"A {what} has 1 to {MaxKeyLength} characters of [0-9A-Za-z._~-]; this has {key.Length}: "
                    + $"\"{(key.Length > 80 ? key[..80] + "…" : key)}\".",
                nameof(key)
            );
        }
    }

    public static void CheckRange(KeyRange range, int take)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(take, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(take, MaxScan);
        foreach (var bound in (ReadOnlySpan<string>)[range.From, range.To])
        {
            if (bound.Length > MaxKeyLength + 1 || bound.AsSpan().ContainsAnyExceptInRange(' ', '\u007f') || bound.Contains('\''))
            {
                throw new ArgumentException(
                    $"A bound of a range is ASCII without quotes, at most {MaxKeyLength + 1} characters; this is \"{bound}\".",
                    nameof(range)
                );
            }
        }
    }

    public static void CheckCommit(string table, string partition, IReadOnlyList<RowChange> changes)
    {
        CheckTable(table);
        CheckKey(partition, "partition key");
        if (changes.Count is 0 or > MaxCommitRows)
        {
            throw new ArgumentException($"A commit changes 1 to {MaxCommitRows} rows; this changes {changes.Count}.", nameof(changes));
        }

        var bytes = 0L;
        var keys = new HashSet<string>(changes.Count, StringComparer.Ordinal);
        foreach (var change in changes)
        {
            CheckKey(change.Key, "row key");
            if (!keys.Add(change.Key))
            {
                throw new ArgumentException($"A commit changes a row once; \"{change.Key}\" is there twice.", nameof(changes));
            }

            if (change.Payload.Length > MaxPayloadBytes)
            {
                throw new ArgumentException(
                    $"A payload has at most {MaxPayloadBytes} bytes; the one of \"{change.Key}\" has {change.Payload.Length}.",
                    nameof(changes)
                );
            }

            bytes += change.Payload.Length;
        }

        if (bytes > MaxCommitBytes)
        {
            throw new ArgumentException(
                $"A commit carries at most {MaxCommitBytes} bytes of payload; this carries {bytes}.",
                nameof(changes)
            );
        }
    }

    /// <summary>A blob's name: key characters in segments joined by <c>/</c>, none of them empty, <c>.</c> or <c>..</c>.</summary>
    public static void CheckBlobName(string name)
    {
        var good = name.Length is > 0 and <= MaxKeyLength;
        foreach (var segment in name.AsSpan().Split('/'))
        {
            var text = name.AsSpan(segment);
            good &= text is not ("" or "." or "..") && !text.ContainsAnyExcept(KeyCharacters);
        }

        if (!good)
        {
            throw new ArgumentException(
                $"A blob's name has 1 to {MaxKeyLength} characters of [0-9A-Za-z._~-] in segments joined by \"/\", none of them "
                    + $"empty, \".\" or \"..\"; this is \"{name}\".",
                nameof(name)
            );
        }
    }
}
