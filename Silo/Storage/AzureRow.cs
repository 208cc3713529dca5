using System.Text.RegularExpressions;
using Azure.Data.Tables;
using Grains.Storage;

namespace Silo.Storage;

/// <summary>
/// A row as an entity: <c>c</c> is the id of the commit that wrote it, <c>p0</c> to <c>p7</c> the payload in pieces of 64 KiB, the most
/// that a property holds.
/// An entity with <c>gone</c> marks that a row is absent (see <see cref="AzureTableStore"/>), and nobody sees it.
/// </summary>
internal static partial class AzureRow
{
    private const string CommitProperty = "c";
    private const string GoneProperty = "gone";
    private const int PieceBytes = 64 * 1024;

    private static readonly string[] Pieces = [.. Enumerable.Range(0, StoreLimits.MaxPayloadBytes / PieceBytes).Select(n => $"p{n}")];

    /// <summary>What tells which commit wrote a row, without its payload.</summary>
    public static string[] WithoutPayload { get; } = ["RowKey", "Timestamp", CommitProperty, GoneProperty];

    public static TableEntity Write(string partition, string key, ReadOnlyMemory<byte> payload, string commit)
    {
        var entity = new TableEntity(partition, key) { [CommitProperty] = commit };
        for (var piece = 0; piece * PieceBytes < payload.Length; piece++)
        {
            var start = piece * PieceBytes;
            entity[Pieces[piece]] = payload.Slice(start, Math.Min(PieceBytes, payload.Length - start)).ToArray();
        }

        return entity;
    }

    public static TableEntity Mark(string partition, string key, string commit) =>
        new(partition, key) { [CommitProperty] = commit, [GoneProperty] = true };

    public static bool IsMark(TableEntity entity) => entity.GetBoolean(GoneProperty) is true;

    public static string? CommitOf(TableEntity entity) => entity.GetString(CommitProperty);

    public static string ETagOf(TableEntity entity) => entity.ETag.ToString();

    public static TableRow Read(TableEntity entity)
    {
        var pieces = Pieces.Select(entity.GetBinary).TakeWhile(piece => piece is not null).ToArray();
        var payload = pieces switch
        {
            [] => [],
            [var one] => one!,
            _ => Join(pieces!),
        };
        return new(entity.RowKey, payload, ETagOf(entity));
    }

    /// <summary>
    /// An etag that the service could have given. What is not is refused by it as a mistake; here it is one that no row has.
    /// </summary>
    public static bool IsETag(string etag) => ETagForm().IsMatch(etag);

    private static byte[] Join(byte[][] pieces)
    {
        var payload = new byte[pieces.Sum(piece => piece.Length)];
        var at = 0;
        foreach (var piece in pieces)
        {
            piece.CopyTo(payload, at);
            at += piece.Length;
        }

        return payload;
    }

    [GeneratedRegex(@"^W/""datetime'\d{4}-\d\d-\d\dT\d\d(:|%3A)\d\d(:|%3A)\d\d(\.\d{1,7})?Z'""$")]
    private static partial Regex ETagForm();
}

/// <summary>
/// Bounds of a range as a filter that has only characters of keys: the service refuses some that are greater than all of them.
/// </summary>
internal static class AzureFilter
{
    private const string KeyCharacters = "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

    /// <summary>The filter for a range of one partition; null when no key can be in it.</summary>
    public static string? Of(string partition, KeyRange range)
    {
        var from = LeastFrom(range.From);
        var to = LeastFrom(range.To);
        return from is null || (to is not null && string.CompareOrdinal(from, to) >= 0)
            ? null
            : $"PartitionKey eq '{partition}'"
                + (from.Length == 0 ? "" : $" and RowKey ge '{from}'")
                + (to is null ? "" : $" and RowKey lt '{to}'");
    }

    /// <summary>The least text of key characters that is not less than <paramref name="bound"/>; null when every key is less.</summary>
    private static string? LeastFrom(string bound)
    {
        for (var at = 0; at < bound.Length; at++)
        {
            if (!KeyCharacters.Contains(bound[at], StringComparison.Ordinal))
            {
                return Next(bound[at]) is { } next ? bound[..at] + next : Beyond(bound[..at]);
            }
        }

        return bound;
    }

    /// <summary>The least text that is greater than every text with this beginning; null when there is none.</summary>
    private static string? Beyond(string beginning)
    {
        for (var last = beginning.Length - 1; last >= 0; last--)
        {
            if (Next(beginning[last]) is { } next)
            {
                return beginning[..last] + next;
            }
        }

        return null;
    }

    private static char? Next(char character)
    {
        var at = KeyCharacters.AsSpan().IndexOfAnyExceptInRange('\0', character);
        return at < 0 ? null : KeyCharacters[at];
    }
}
