using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Grains.Interfaces.Logs;

namespace Grains.Logs.Rows;

/// <summary>Where the log keeps what: one table, a partition per shard, and what its rows are called.</summary>
/// <remarks>
/// <code>
/// shard.{number}   h           head: the fence, the sums
///                  s.{n}       a segment: the manifest
///                  f.{n}       a flush: its requests, to know them when they come again, and its counts
///                  c.{hour}    counts of an hour of arrival, once its flushes are old
///                  d.{n}       objects that no segment names any more, and when to remove them
/// </code>
/// </remarks>
public static class LogTable
{
    public const string Name = "logs";

    public const string SegmentPrefix = "s.";

    public const string FlushPrefix = "f.";

    public const string HourPrefix = "c.";

    public const string DoomedPrefix = "d.";

    public static string Partition(long shard) => string.Create(CultureInfo.InvariantCulture, $"shard.{shard:D3}");

    public static string Segment(long number) => Numbered(SegmentPrefix, number);

    public static string Flush(long number) => Numbered(FlushPrefix, number);

    public static string Doomed(long number) => Numbered(DoomedPrefix, number);

    public static string Hour(DateTimeOffset hour) =>
        string.Create(CultureInfo.InvariantCulture, $"{HourPrefix}{hour.UtcDateTime:yyyyMMddHH}");

    public static long Number(string key) => long.Parse(key.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>The hour that a key of <see cref="Hour"/> names.</summary>
    public static DateTimeOffset HourOf(string key) =>
        DateTimeOffset.ParseExact(key[HourPrefix.Length..] + "+00:00", "yyyyMMddHHzzz", CultureInfo.InvariantCulture);

    /// <summary>The whole hour that a moment is in.</summary>
    public static DateTimeOffset HourOf(DateTimeOffset at) => new(at.UtcDateTime.Date.AddHours(at.UtcDateTime.Hour), TimeSpan.Zero);

    private static string Numbered(string prefix, long number) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{number:D16}");
}

/// <summary>The head row of a shard.</summary>
/// <param name="Epoch">Rises with every activation; part of the names of segments, so that two never write one name.</param>
/// <param name="Next">The next number for a row.</param>
/// <param name="Total">Of everything that ever came.</param>
/// <param name="Flushed">When the last segment was committed.</param>
public sealed record LogHead(long Epoch, long Next, ServiceCount Total, DateTimeOffset Flushed);

/// <param name="Requests">Ids, 16 bytes each.</param>
/// <param name="At">When it was committed, or nearly.</param>
public sealed record FlushRow(DateTimeOffset At, ReadOnlyMemory<byte> Requests, IReadOnlyList<ServiceCount> Counts);

public sealed record HourRow(IReadOnlyList<ServiceCount> Counts);

/// <param name="Due">Until then a reader may be reading them.</param>
public sealed record DoomedRow(DateTimeOffset Due, IReadOnlyList<string> Names);

/// <summary>Rows are JSON, so that a person can read them with any tool, and a later version can add to them.</summary>
[JsonSerializable(typeof(LogHead))]
[JsonSerializable(typeof(FlushRow))]
[JsonSerializable(typeof(HourRow))]
[JsonSerializable(typeof(DoomedRow))]
[JsonSerializable(typeof(LogSegment))]
public sealed partial class LogJson : JsonSerializerContext
{
    private static readonly LogJson Rows = new(
        new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull }
    );

    public static byte[] Write<T>(T row) => JsonSerializer.SerializeToUtf8Bytes(row, TypeInfo<T>());

    public static T Read<T>(ReadOnlyMemory<byte> payload) =>
        JsonSerializer.Deserialize(payload.Span, TypeInfo<T>()) ?? throw new JsonException($"A row of {typeof(T).Name} is null.");

    private static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)Rows.GetTypeInfo(typeof(T))!;
}
