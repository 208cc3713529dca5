using Grains.Interfaces.Logs;

namespace Grains.Logs.Records;

/// <summary>What the records of one request may take. Each record that goes beyond is refused by itself.</summary>
/// <param name="MaxRecordBytes">Of a record as it comes in, with what its resource and scope add to it.</param>
/// <param name="MaxBlockBytes">Of all records together, as text: a small request can name a large resource for a million records.</param>
public readonly record struct DecodeLimits(int MaxRecordBytes, int MaxBlockBytes = 128 * 1024 * 1024)
{
    /// <summary>Arrays and maps may lie in each other so deep.</summary>
    public const int MaxDepth = 64;

    /// <summary>A record with more bytes than one may have (<c>Logs:MaxRecordBytes</c>).</summary>
    public const string TooLarge = "too-large";

    /// <summary>A record whose values lie in each other deeper than 64.</summary>
    public const string TooDeep = "too-deep";

    /// <summary>A record beyond what one request may have in number or text.</summary>
    public const string TooMany = "too-many";

    /// <summary>The reason for which a record of so many bytes is not taken; null when it is.</summary>
    public string? Refusal(long bytes, LogBlockBuilder into) =>
        bytes > MaxRecordBytes ? TooLarge
        : into.Count >= LogBlock.MaxRecords || into.Text.Length + bytes > MaxBlockBytes ? TooMany
        : null;

    /// <summary>What is wrong and what would be right.</summary>
    /// <param name="place">Of the record, counted from 1.</param>
    public string Sentence(string refusal, int place, long bytes) =>
        refusal switch
        {
            TooLarge => $"Record {place} has {bytes} bytes; {MaxRecordBytes} are the most.",
            TooDeep => $"Record {place} has values that lie in each other more than {MaxDepth} deep.",
            _ => $"The request has more than {LogBlock.MaxRecords} records or {MaxBlockBytes} bytes of text; send it in parts.",
        };
}
