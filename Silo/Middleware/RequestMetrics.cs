using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grains.Interfaces.Keys;

namespace Silo.Middleware;

/// <summary>What happens at the doors, as numbers: meter <c>Doors</c>.</summary>
public sealed class RequestMetrics
{
    public const string Meter = "Doors";

    private readonly Histogram<double> _requests;
    private readonly UpDownCounter<int> _active;
    private readonly UpDownCounter<int> _streams;

    public RequestMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Meter);
        _requests = meter.CreateHistogram<double>(
            "doors.request.duration",
            "s",
            "Requests and how long they took, by route, status and the caller's role."
        );
        _active = meter.CreateUpDownCounter<int>("doors.requests.active", "{request}", "Requests that are being answered.");
        _streams = meter.CreateUpDownCounter<int>(
            "doors.streams.active",
            "{stream}",
            "Answers that go on for long: exports and streams of events."
        );
    }

    public void OnBegan() => _active.Add(1);

    public void OnEnded(string? route, int status, ApiRole? role, TimeSpan took)
    {
        _active.Add(-1);
        if (_requests.Enabled)
        {
            _requests.Record(
                took.TotalSeconds,
                new TagList
                {
                    { "route", route ?? "none" },
                    { "status", status },
                    { "role", role?.ToString() ?? "none" },
                }
            );
        }
    }

    public void OnStreamBegan() => _streams.Add(1);

    public void OnStreamEnded() => _streams.Add(-1);
}
