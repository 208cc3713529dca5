using System.Globalization;

namespace Grains.Logs.Segments;

/// <summary>
/// What an object is called: <c>logs/2026-11-23/09/default-003-17-42.parquet</c> is of the hour of arrival 9 to 10 UTC, of the class
/// <c>default</c>,
/// shard 3, the shard's 17th activation, row 42. No two are ever called the same.
/// </summary>
public readonly record struct SegmentName(DateTimeOffset Arrived, string Class, long Shard, long Epoch, long Number)
{
    public const string Root = "logs/";

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{HourPrefix(Arrived)}{Class}-{Shard:D3}-{Epoch}-{Number}.parquet");

    /// <summary>What the names of an hour begin with.</summary>
    public static string HourPrefix(DateTimeOffset hour) =>
        string.Create(CultureInfo.InvariantCulture, $"{Root}{hour.UtcDateTime:yyyy-MM-dd'/'HH}/");

    public static bool TryParse(string name, out SegmentName parsed)
    {
        parsed = default;
        if (
            name.Split('/') is not ["logs", var date, var hour, var file]
            || !file.EndsWith(".parquet", StringComparison.Ordinal)
            || !DateTime.TryParseExact(
                $"{date} {hour}",
                "yyyy-MM-dd HH",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var arrived
            )
        )
        {
            return false;
        }

        // A class may hold hyphens; the three numbers behind it do not.
        var parts = file[..^".parquet".Length].Split('-');
        if (parts.Length < 4 || !Whole(parts[^3], out var shard) || !Whole(parts[^2], out var epoch) || !Whole(parts[^1], out var number))
        {
            return false;
        }

        parsed = new(new(arrived, TimeSpan.Zero), string.Join('-', parts[..^3]), shard, epoch, number);
        return true;
    }

    private static bool Whole(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
