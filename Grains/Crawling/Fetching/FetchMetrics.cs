using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grains.Interfaces.Crawling;

namespace Grains.Crawling.Fetching;

/// <summary>Fetches as numbers, in the meter <see cref="Meter"/>, and as spans. While nobody listens it costs next to nothing.</summary>
public sealed class FetchMetrics
{
    public const string Meter = "Crawling";

    /// <summary>Fetches, in the trace of the request that started their crawl.</summary>
    public static readonly ActivitySource Traces = new("Crawling");

    private readonly Histogram<double> _fetches;
    private readonly Counter<long> _bytes;

    public FetchMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Meter);
        _fetches = meter.CreateHistogram<double>(
            "crawling.fetch.duration",
            "s",
            "Fetches and how long they took, by kind (page, robots) and result."
        );
        _bytes = meter.CreateCounter<long>("crawling.fetch.bytes", "By", "Bytes of bodies, after decompression.");
    }

    public void OnFetched(LeaseKind kind, FetchResult result, TimeSpan took, long bytes)
    {
        if (_fetches.Enabled)
        {
            _fetches.Record(
                took.TotalSeconds,
                new TagList { { "kind", kind == LeaseKind.Robots ? "robots" : "page" }, { "result", result.ToString() } }
            );
        }

        _bytes.Add(bytes);
    }
}
