using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Benchmarks.Orders;

/// <summary>Calls that the grains of a silo have answered, as its metrics tell (<c>Telemetry:Calls</c>).</summary>
internal sealed partial record GrainCalls(IReadOnlyDictionary<string, long> ByMethod)
{
    public long All => ByMethod.Values.Sum();

    /// <summary>Requests that a silo was sent by the other silos of its cluster, one-way ones too.</summary>
    public static async Task<long> FromOtherSilos(IPEndPoint silo)
    {
        var calls = 0L;
        foreach (Match line in Received().Matches(await Metrics(silo)))
        {
            var labels = line.Groups["labels"].Value;
            if (labels.Contains("\"SiloToSilo\"", StringComparison.Ordinal) && !labels.Contains("\"Response\"", StringComparison.Ordinal))
            {
                calls += long.Parse(line.Groups["count"].Value, CultureInfo.InvariantCulture);
            }
        }

        return calls;
    }

    public static async Task<GrainCalls> Read(IPEndPoint silo)
    {
        var text = await Metrics(silo);
        var calls = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (Match line in Count().Matches(text))
        {
            var labels = Label()
                .Matches(line.Groups["labels"].Value)
                .ToDictionary(label => label.Groups["name"].Value, label => label.Groups["value"].Value, StringComparer.Ordinal);
            var method = $"{labels["interface"]}.{labels["method"]}";
            calls[method] = calls.GetValueOrDefault(method) + long.Parse(line.Groups["count"].Value, CultureInfo.InvariantCulture);
        }

        return calls.Count > 0 ? new(calls) : throw new InvalidOperationException("The silo's metrics tell of no calls of grains.");
    }

    public GrainCalls Since(GrainCalls before) =>
        new(
            ByMethod.ToDictionary(
                pair => pair.Key,
                pair => pair.Value - before.ByMethod.GetValueOrDefault(pair.Key),
                StringComparer.Ordinal
            )
        );

    private static async Task<string> Metrics(IPEndPoint silo)
    {
        // An answer may be a moment old: the exporter keeps it that long.
        await Task.Delay(TimeSpan.FromSeconds(1));
        using var http = new HttpClient();
        return await http.GetStringAsync(new Uri($"http://{silo}/metrics"));
    }

    [GeneratedRegex(
        @"^orleans_messaging_received_messages_size_bytes_count\{(?<labels>.*)\} (?<count>[0-9]+)",
        RegexOptions.Multiline | RegexOptions.CultureInvariant
    )]
    private static partial Regex Received();

    [GeneratedRegex(
        @"^grains_call_duration_seconds_count\{(?<labels>.*)\} (?<count>[0-9]+)",
        RegexOptions.Multiline | RegexOptions.CultureInvariant
    )]
    private static partial Regex Count();

    [GeneratedRegex("(?<name>[a-z_]+)=\"(?<value>[^\"]*)\"", RegexOptions.CultureInvariant)]
    private static partial Regex Label();
}
