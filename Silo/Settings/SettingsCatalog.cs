using System.Collections.Immutable;
using System.Reflection;
using Grains.Crawling;
using Grains.Logs;
using Grains.Logs.Reading;
using Grains.Orders;
using Grains.Orders.Deliveries.Mail;
using Silo.Cluster;
using Silo.Grpc;
using Silo.Http;
using Silo.Keys;
using Silo.Logs;
using Silo.Middleware;
using Silo.Storage;
using Silo.Telemetry;

namespace Silo.Settings;

/// <summary>
/// Every setting of the silo, read from the options classes. A class that is named here is bound, checked at start, and listed by
/// <c>--help</c>;
/// what is not here is refused as a mistake.
/// </summary>
public static class SettingsCatalog
{
    /// <summary>Levels of the log by category are free in name: <c>Logging:LogLevel:Orleans</c>.</summary>
    public const string LogLevels = "Logging:LogLevel:";

    public static ImmutableArray<Type> Classes { get; } =
    [
        typeof(StorageOptions),
        typeof(ClusterOptions),
        typeof(HttpOptions),
        typeof(GrpcOptions),
        typeof(ListenOptions),
        typeof(KeysOptions),
        typeof(LimitsOptions),
        typeof(InstanceOptions),
        typeof(LogOptions),
        typeof(TelemetryOptions),
        typeof(CrawlingOptions),
        typeof(LogsOptions),
        typeof(LogReadingOptions),
        typeof(LogDoorsOptions),
        typeof(OrdersOptions),
        typeof(MailOptions),
        typeof(WebhooksOptions),
    ];

    public static ImmutableArray<Setting> All { get; } = [.. Classes.SelectMany(Of)];

    public static string Section(Type options) =>
        options.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string
        ?? throw new InvalidOperationException($"{options.Name} has no constant named Section.");

    /// <summary>The settings of one options class: its properties that can be set.</summary>
    public static IEnumerable<Setting> Of(Type options) =>
        options
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true })
            .Select(property => new Setting(Section(options), property));

    public static Setting? Find(string key) => All.FirstOrDefault(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase));

    public static bool IsKnown(string key) => Find(key) is not null || key.StartsWith(LogLevels, StringComparison.OrdinalIgnoreCase);

    /// <summary>The setting that was probably meant, by its whole key or by its name alone; null when none is near.</summary>
    public static string? Nearest(string key)
    {
        var (near, distance) = All.SelectMany(setting =>
                new[] { (setting.Key, setting.Key), (setting.Key, setting.Key[(setting.Key.IndexOf(':') + 1)..]) }
            )
            .Append((CommandLine.Instance, CommandLine.Instance))
            .Append((CommandLine.Log, CommandLine.Log))
            .Select(form => (near: form.Item1, distance: Distance(key, form.Item2)))
            .MinBy(pair => pair.distance);
        return distance <= Math.Max(2, key.Length / 3) ? near : null;
    }

    /// <summary>How many characters have to be added, dropped or changed to make one text of the other, without case.</summary>
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var same = char.ToUpperInvariant(one[i - 1]) == char.ToUpperInvariant(other[j - 1]);
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1)));
            }
        }

        return row[^1];
    }
}
