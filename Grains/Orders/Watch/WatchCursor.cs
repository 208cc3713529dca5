using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Hashing;

namespace Grains.Orders.Watch;

/// <summary>
/// How far a watch has come: for each partition the first revision that it has yet to see. As text it is for nobody to read, <c>w1</c> and
/// letters of
/// <c>[0-9A-Za-z_-]</c>: the version of this form, the number of partitions, whether it is of one partition only, the revisions, and a
/// checksum.
/// </summary>
public sealed class WatchCursor
{
    /// <summary>In place of a revision: the oldest that is kept, whichever that is.</summary>
    public const long Oldest = 0;

    /// <summary>Characters at most.</summary>
    public const int MaxLength = 1500;

    private const string Mark = "w1";

    private const int ChecksumBytes = 4;

    private WatchCursor(int? only, long[] next) => (Only, Next) = (only, next);

    /// <summary>Of a watch of one order: the order's partition. Null for one of all.</summary>
    public int? Only { get; }

    /// <summary>By partition; of one partition only, that one's.</summary>
    public IReadOnlyList<long> Next { get; }

    /// <param name="only">The partition that <paramref name="next"/> is of, alone; null: it is of all.</param>
    public static string Write(int partitions, int? only, ReadOnlySpan<long> next)
    {
        Span<byte> bytes = stackalloc byte[(next.Length * 10) + 10 + ChecksumBytes];
        var at = Put(bytes, 0, (ulong)partitions);
        at = Put(bytes, at, only is { } one ? (ulong)one + 1 : 0);
        foreach (var revision in next)
        {
            at = Put(bytes, at, (ulong)revision);
        }

        XxHash32.Hash(bytes[..at], bytes[at..]);
        at += ChecksumBytes;
        Span<char> text = stackalloc char[Mark.Length + Base64Url.GetEncodedLength(at)];
        Mark.CopyTo(text);
        Base64Url.EncodeToChars(bytes[..at], text[Mark.Length..]);
        return new(text);
    }

    /// <summary>False with a sentence for what is no cursor of a cluster with so many partitions.</summary>
    public static bool TryRead(
        string text,
        int partitions,
        [NotNullWhen(true)] out WatchCursor? cursor,
        [NotNullWhen(false)] out string? error
    )
    {
        (cursor, error) = (null, null);
        if (text.Length > MaxLength || !text.StartsWith('w') || text.Length < Mark.Length)
        {
            error =
                $"A cursor is what a watch gave, \"{Mark}\" and letters, or \"start\" for the oldest change that is kept; this "
                + $"is \"{Shown(text)}\".";
        }
        else if (!text.StartsWith(Mark, StringComparison.Ordinal))
        {
            error = char.IsAsciiDigit(text[1])
                ? $"The cursor \"{Shown(text)}\" has a form that this version does not know; it knows \"{Mark}\"."
                : $"A cursor begins with \"{Mark}\", or is \"start\"; this is \"{Shown(text)}\".";
        }
        else if (!TryRead(text.AsSpan(Mark.Length), out var written, out var only, out var next))
        {
            error = $"The cursor \"{Shown(text)}\" is broken: it was cut or changed on its way.";
        }
        else if (written != partitions)
        {
            error = string.Create(
                CultureInfo.InvariantCulture,
                $"The cursor is of another cluster: it has {written} partitions, and here are {partitions}."
            );
        }
        else
        {
            cursor = new(only, next);
        }

        return cursor is not null;
    }

    private static bool TryRead(ReadOnlySpan<char> text, out int partitions, out int? only, out long[] next)
    {
        (partitions, only, next) = (0, null, []);
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var count) != System.Buffers.OperationStatus.Done || count <= ChecksumBytes)
        {
            return false;
        }

        ReadOnlySpan<byte> rest = bytes.AsSpan(0, count - ChecksumBytes);
        if (
            !XxHash32.Hash(rest).AsSpan().SequenceEqual(bytes.AsSpan(count - ChecksumBytes, ChecksumBytes))
            || !Take(ref rest, out var number)
            || !Take(ref rest, out var one)
            || number > Interfaces.Orders.OrderId.MaxPartitions
            || one > number
        )
        {
            return false;
        }

        (partitions, only) = ((int)number, one > 0 ? (int)one - 1 : null);
        next = new long[only is null ? partitions : 1];
        foreach (ref var revision in next.AsSpan())
        {
            if (!Take(ref rest, out revision))
            {
                return false;
            }
        }

        return rest.IsEmpty;
    }

    /// <summary>Seven bits to a byte, the lowest first; the highest bit says that there are more.</summary>
    private static int Put(Span<byte> bytes, int at, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            bytes[at++] = (byte)(value | 0x80);
        }

        bytes[at++] = (byte)value;
        return at;
    }

    private static bool Take(ref ReadOnlySpan<byte> bytes, out long value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < 9; i++)
        {
            value |= (long)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return true;
            }
        }

        return false;
    }

    private static string Shown(string text) => text.Length > 60 ? text[..60] + "…" : text;
}
